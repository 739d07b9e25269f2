"""A model check of the control protocol: every order in which users, hosts, jobs and crashes can meet it.

The server is the real one. Engine, scheduler, timer and the store's admission run
as they are; only what surrounds them (jobs, hosts, users, time) is a model.
"""
