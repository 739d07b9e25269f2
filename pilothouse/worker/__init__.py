"""The processes beside the server: the host and the child that runs job code."""
