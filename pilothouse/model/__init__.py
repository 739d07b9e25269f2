"""Pure data and the fold: no asyncio, no database, no sockets."""
