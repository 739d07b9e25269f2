"""HTTP: the API, the job's link, sign-in, the dialects and the static UI."""
