"""SSE, WebSocket and polling: three wrappers around one tail."""
