"""The processes beside the server: the host, and for each attempt a shim and the child that runs job code."""
