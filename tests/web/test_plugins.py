"""Kinds from elsewhere: what is wrong with one is said by its name, before the server starts."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from pilothouse import app
from pilothouse.errors import Invalid
from pilothouse.settings import Settings


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("no_such_package:KIND", "No module named 'no_such_package'"),
        ("tests.web.serving:NOTHING", "NOTHING"),
        ("tests.web.serving:KINDS", "is a dict, not a Kind"),
    ],
)
def test_an_installed_package_without_the_kind_it_promises_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str, said: str
) -> None:
    points = [EntryPoint("lab", value, app.ENTRY_POINTS)]
    monkeypatch.setattr(app, "entry_points", lambda group: points)

    with pytest.raises(Invalid) as refusal:
        app.build_kinds(Settings(data=tmp_path))

    assert value in refusal.value.message
    assert said in refusal.value.message


def test_an_installed_package_brings_its_kind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    points = [EntryPoint("lab", "tests.web.serving:COUNTING", app.ENTRY_POINTS)]
    monkeypatch.setattr(app, "entry_points", lambda group: points)

    assert "counting" in app.build_kinds(Settings(data=tmp_path))
