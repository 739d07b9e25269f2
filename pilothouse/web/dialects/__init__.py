"""The documented wire formats, each spoken over the one log."""
