"""The job's side: handle, link and declarations, on the standard library alone."""
