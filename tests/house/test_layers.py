"""The import contracts hold, and each of them notices a deliberate violation."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.house.pages import ROOT

LAYERS = "A lower layer never imports a higher one"
SDK = "The SDK imports the standard library only"
MODEL = "The model is pure"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package in a folder of its own, as it stands now."""
    folder = tmp_path_factory.mktemp("layers")
    for source in (ROOT / "pilothouse").rglob("*.py"):
        target = folder / source.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def lint(folder: Path) -> tuple[bool, str]:
    """Whether all contracts are kept, and what the linter says."""
    program = (
        "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "--no-cache", "--config", "pyproject.toml"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode == 0, done.stdout + done.stderr


def test_every_contract_is_kept(copy: Path) -> None:
    is_kept, said = lint(copy)

    assert is_kept, said
    assert said.count("KEPT") == len(contracts()), said


def contracts() -> list[str]:
    """The names of the contracts."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    return [contract["name"] for contract in settings["contracts"]]


def test_every_contract_has_its_violation_below() -> None:
    assert {contract for contract, _, _ in VIOLATIONS} == set(contracts())


VIOLATIONS = [
    (LAYERS, "web/access.py", "import pilothouse.cli.words"),
    (LAYERS, "app.py", "import pilothouse.web.access"),
    (LAYERS, "stores/memory.py", "import pilothouse.buses.memory"),
    (LAYERS, "kinds/__init__.py", "import pilothouse.stores.memory"),
    (LAYERS, "worker/child.py", "import pilothouse.executors.local"),
    (LAYERS, "engine/engine.py", "import pilothouse.transports.sse"),
    (LAYERS, "engine/engine.py", "import pilothouse.sdk.handle"),
    (LAYERS, "contracts.py", "import pilothouse.engine.engine"),
    (LAYERS, "model/run.py", "import pilothouse.contracts"),
    (LAYERS, "errors.py", "import pilothouse.clock"),
    (LAYERS, "utils.py", '"""A module that has no layer."""'),
    (SDK, "sdk/handle.py", "import pydantic"),
    (SDK, "sdk/link.py", "import pilothouse.model.run"),
    (MODEL, "model/fold.py", "import asyncio"),
    (MODEL, "model/fold.py", "import sqlalchemy"),
]


@pytest.mark.parametrize(("contract", "file", "line"), VIOLATIONS, ids=str)
def test_a_violation_breaks_its_contract(copy: Path, contract: str, file: str, line: str) -> None:
    path = copy / "pilothouse" / file
    before = path.read_text() if path.exists() else None
    path.write_text(f"{before or ''}\n\n{line}\n")
    try:
        is_kept, said = lint(copy)
    finally:
        path.unlink() if before is None else path.write_text(before)

    assert not is_kept
    assert broken_in(said) == {contract}, said


def broken_in(said: str) -> set[str]:
    """The contracts that are broken."""
    return {name for name in contracts() if re.search(rf"^{re.escape(name)}.* BROKEN", said, re.MULTILINE)}


FOR_SCRIPTS = ["__init__.py", "version.py", "errors.py", "sdk"]


def imports_of(source: str) -> set[str]:
    """The modules that a source imports, wherever it does so, but for type checkers."""
    found: set[str] = set()
    todo: list[ast.AST] = [ast.parse(source)]
    while todo:
        match node := todo.pop():
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                continue
            case ast.Import(names=names):
                found |= {name.name for name in names}
            case ast.ImportFrom(module=str(module)):
                found.add(module)
            case _:
                pass
        todo += ast.iter_child_nodes(node)
    return found


def is_for_scripts(module: str) -> bool:
    """Whether a user's script may be made to import it."""
    top, _, rest = module.partition(".")
    if top == "pilothouse":
        return rest.partition(".")[0] in {"", "sdk", "errors", "version"}
    return top in sys.stdlib_module_names


def test_whatever_a_script_imports_comes_with_python() -> None:
    for name in FOR_SCRIPTS:
        path = ROOT / "pilothouse" / name
        for file in [path] if path.is_file() else path.rglob("*.py"):
            foreign = {module for module in imports_of(file.read_text()) if not is_for_scripts(module)}
            assert not foreign, file


def test_an_import_deep_in_a_function_is_found() -> None:
    source = "def run():\n    import numpy.linalg\n\nfrom pilothouse.model import run\n"

    assert {module for module in imports_of(source) if not is_for_scripts(module)} == {
        "numpy.linalg",
        "pilothouse.model",
    }


def test_a_script_that_uses_every_public_name_loads_the_standard_library_only() -> None:
    program = (
        "import sys; before = set(sys.modules)\n"
        "import pilothouse\n"
        "for name in pilothouse.__all__: getattr(pilothouse, name)\n"
        "loaded = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(*sorted(loaded - sys.stdlib_module_names))\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == ["pilothouse"]
