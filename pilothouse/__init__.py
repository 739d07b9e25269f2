"""Pilothouse: watch any long AI job live and steer it; nothing is lost."""

from pilothouse.version import __version__

__all__ = ["__version__"]
