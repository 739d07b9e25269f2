"""An example table."""
