"""A small real language model that needs nothing, and its OpenAI-compatible server."""
