"""The kind that `pilothouse new-kind` writes, as snippets."""

from __future__ import annotations

from pilothouse.cli.new_kind import FOLDER


def declaration() -> str:
    """What the server reads."""
    return _python("__init__.py")


def job() -> str:
    """What does the work."""
    return _python("job.py")


def test() -> str:
    """What proves it; it runs as a file of the package only."""
    return _python("test_my_kind.py", " sketch")


def _python(name: str, mark: str = "") -> str:
    return f"```python{mark}\n{(FOLDER / name).read_text()}```"
