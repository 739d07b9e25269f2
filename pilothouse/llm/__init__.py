"""Chat models: the client, the price table, and the offline model."""
