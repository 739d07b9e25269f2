"""Every kind that ships is complete: a README, a page, an example to start from, and its promises proven."""

from __future__ import annotations

from pathlib import Path

import pytest

from pilothouse.kinds import NAMES, builtin
from pilothouse.testing.kind_contract import KindContract
from tests.kinds import test_contract

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", NAMES)
def test_a_kind_has_a_readme_a_page_and_an_example(name: str) -> None:
    examples = {example["name"] for example in builtin()[name].declaration()["examples"]}

    assert (ROOT / "pilothouse" / "kinds" / name / "README.md").is_file()
    assert (ROOT / "docs" / "howto" / f"{name}.md").is_file()
    assert "quick" in examples or any((ROOT / "examples" / name).glob("*"))


def test_every_folder_of_a_kind_is_one_that_can_be_started() -> None:
    folders = {path.parent.name for path in (ROOT / "pilothouse" / "kinds").glob("*/job.py")}

    assert folders == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_kind_keeps_the_promises_of_every_kind(name: str) -> None:
    classes = [each for each in vars(test_contract).values() if isinstance(each, type)]
    proven = {vars(each).get("path") for each in classes if issubclass(each, KindContract)}

    assert f"pilothouse.kinds.{name}:KIND" in proven, "add a class to tests/kinds/test_contract.py"
