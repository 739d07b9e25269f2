"""Contract suites for people who write a plug or a kind."""

from contextlib import suppress
from pathlib import Path

with suppress(ImportError):  # a suite that fails shows its values
    import pytest

    pytest.register_assert_rewrite(
        *(f"{__name__}.{path.stem}" for path in Path(__file__).parent.glob("[a-z]*.py"))
    )
