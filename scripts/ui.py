"""Build the web UI into the package, unless the folder already holds a build of these sources."""

from __future__ import annotations

from pathlib import Path

from hatch_build import UiBuildHook

ROOT = Path(__file__).parent.parent


def main() -> None:
    """Build when stale."""
    UiBuildHook(str(ROOT), {}, None, None, "", "wheel").initialize("standard", {})  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
