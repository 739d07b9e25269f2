"""The built-in kinds; guests that know the SDK and nothing of the server."""
