"""What every kind promises. Subclass it and name the declaration.

```python
class TestWordcount(KindContract):
    path = "wordcount:KIND"
```

The kind's example `quick` is run by a real server, in processes of its own that
are paused, cancelled and killed. Where it is over too soon to be steered, give
`steered` what makes it longer.
"""
# ruff: noqa: D102 — the tests' names are sentences

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from pilothouse.sdk.kind import Kind
from pilothouse.sdk.panels import Importances
from pilothouse.testing.kind_form import drawn_metrics, families_of, is_explained, nonsense, refused
from pilothouse.testing.kind_run import TOO_SHORT, Record, has_moved, is_ended, seq_of
from pilothouse.testing.stack import Stack, stack

Json = dict[str, Any]
# What a declaration may import beside the standard library and its own package.
LIGHT = frozenset(
    {"pilothouse", "pydantic", "pydantic_core", "annotated_types", "typing_extensions", "typing_inspection"}
)
# The job's machine tells these of every kind; they need no declaration.
OF_THE_MACHINE = "system/"


class KindContract:
    """The tests.

    Attributes:
        path: The declaration as `module:KIND`, as `PILOTHOUSE_KINDS` names it.
        example: The example that takes seconds; a kind without examples gives `params` instead.
        params: Params to run with, in place of an example.
        steered: Params on top, for the runs that are steered: long enough that seconds lie between
            the first item and the last.
        environment: Variables for server and jobs.
        rare: Declared columns and metrics that the short run need not bring.
        open_params: Fields that take any value of any type.
    """

    path: str
    example: str = "quick"
    params: Json | None = None
    steered: Mapping[str, Any] = {}
    environment: Mapping[str, str] = {}
    rare: frozenset[str] = frozenset()
    open_params: frozenset[str] = frozenset()

    def __init_subclass__(cls, **more: Any) -> None:
        """One server for all tests of a class, also when several processes share the tests."""
        super().__init_subclass__(**more)
        if find_spec("xdist"):
            cls.pytestmark = [pytest.mark.xdist_group(cls.__qualname__)]  # type: ignore[attr-defined]

    @pytest.fixture(scope="class")
    @classmethod
    def kind(cls) -> Kind:
        """The declaration."""
        module, _, name = cls.path.partition(":")
        kind = getattr(import_module(module), name or "KIND")
        assert isinstance(kind, Kind)
        return kind

    @pytest.fixture(scope="class")
    @classmethod
    def quick(cls, kind: Kind) -> Json:
        """Params of a run that takes seconds."""
        if cls.params is not None:
            return dict(cls.params)
        found = {example.name: example.params for example in (kind.examples() if kind.examples else ())}
        assert cls.example in found, f"the kind has no example {cls.example!r}; give the class `params`"
        return found[cls.example]

    @pytest.fixture(scope="class")
    @classmethod
    def up(cls, kind: Kind, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
        """A server, a host, and room for jobs."""
        if kind.extra and kind.extra.missing():
            pytest.skip(kind.extra.command)
        paths = [str(Path(each or ".").resolve()) for each in sys.path]
        own = {"PILOTHOUSE_KINDS": cls.path, "PYTHONPATH": os.pathsep.join(paths)}
        with stack(tmp_path_factory.mktemp("kind") / "data", own | dict(cls.environment)) as up:
            yield up

    @pytest.fixture(scope="class")
    @classmethod
    def completed(cls, up: Stack, kind: Kind, quick: Json) -> Record:
        """The short run, from its beginning to its end."""
        record = Record(up, kind, quick)
        record.wait(is_ended, "the end")
        return record

    @pytest.fixture
    def going(self, up: Stack, kind: Kind, quick: Json) -> Iterator[Record]:
        """A run in its midst: it has finished an item, and has more to do."""
        record = Record(up, kind, {**quick, **self.steered})
        record.wait(lambda run: has_moved(run) or is_ended(run), "its first item")
        yield record
        record.cancel()

    # The declaration

    def test_its_declaration_is_plain_data(self, kind: Kind) -> None:
        declared = kind.declaration()

        assert json.loads(json.dumps(declared, allow_nan=False)).keys() == declared.keys()
        assert all((kind.name, kind.title, kind.prefix, kind.summary, kind.unit, kind.units))

    def test_its_declaration_imports_neither_the_job_nor_anything_heavy(self, kind: Kind) -> None:
        module, job = self.path.partition(":")[0], kind.entry.partition(":")[0]
        program = (
            "import sys, json, importlib; import pilothouse.sdk.kind, pydantic; before = set(sys.modules)\n"
            "importlib.import_module(sys.argv[1]); print(json.dumps(sorted(set(sys.modules) - before)))"
        )
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}

        said = subprocess.run(
            [sys.executable, "-c", program, module],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )

        loaded = set(json.loads(said.stdout))
        packages = {name.partition(".")[0] for name in loaded if not name.startswith("_sysconfigdata")}
        assert job not in loaded
        assert packages - LIGHT - sys.stdlib_module_names - {module.partition(".")[0]} == set()

    def test_its_job_is_where_the_declaration_says(self, kind: Kind) -> None:
        module, _, function = kind.entry.partition(":")

        assert find_spec(module), module
        assert function

    def test_its_panels_draw_what_is_declared(self, kind: Kind) -> None:
        metrics = [metric.name for metric in kind.metrics]
        columns = [column.name for column in kind.columns]

        assert len(set(metrics)) == len(metrics)
        assert len(set(columns)) == len(columns)
        assert kind.headline is None or kind.headline in metrics
        assert [panel for panel in kind.panels if not drawn_metrics(panel) <= {*metrics}] == []

    def test_its_form_says_what_each_field_is(self, kind: Kind) -> None:
        schema = kind.declaration()["params_schema"]

        silent = [name for name, field in schema["properties"].items() if not is_explained(field, schema)]
        assert silent == []
        assert set(kind.live_params) <= set(schema["properties"])

    def test_its_examples_are_valid_and_stay_as_they_are_when_checked_again(
        self, kind: Kind, quick: Json
    ) -> None:
        examples = kind.examples() if kind.examples else ()

        for params in (quick, *(example.params for example in examples)):
            checked = kind.validate(params)
            assert kind.validate(checked) == checked

    # Params

    def test_a_field_that_does_not_exist_is_refused_by_name(self, kind: Kind, quick: Json) -> None:
        assert refused(kind, quick | {"no_such_field": 1}) == {"no_such_field"}

    def test_nonsense_is_refused_by_the_name_of_its_field(self, kind: Kind, quick: Json) -> None:
        schema = kind.declaration()["params_schema"]
        for name, field in schema["properties"].items():
            wrong = nonsense(field, schema)
            if name not in self.open_params and wrong is not None:
                assert name in refused(kind, quick | {name: wrong}), f"{name}: {wrong!r} is taken"

    def test_the_server_refuses_a_bad_run_before_it_is_made(self, up: Stack, kind: Kind, quick: Json) -> None:
        body = {"kind": kind.name, "params": quick | {"no_such_field": 1}, "name": "refused"}
        with up.client() as client:
            answer = client.post("/api/runs", json=body)

        assert answer.status_code == 422
        assert answer.json()["error"]["field"] == "no_such_field"

    # A run

    def test_its_quick_example_completes(self, completed: Record) -> None:
        assert completed.run["status"] == "completed", completed.run["failure"]
        assert completed.run["attempt"] == 1

    def test_its_total_is_what_the_run_does(self, up: Stack, completed: Record, kind: Kind) -> None:
        progress = completed.run["progress"]
        asked = {"kind": kind.name, "params": completed.params}
        foretold = up.api("POST", "/api/runs?dry_run=1", asked)["total"]

        assert foretold == (kind.total(kind.validate(completed.params)) if kind.total else None)
        assert progress["total"] is not None, "it tells no total"
        assert progress["done"] == progress["total"]
        assert foretold in {None, progress["total"]}

    def test_its_items_carry_the_declared_columns(self, completed: Record, kind: Kind) -> None:
        declared = {column.name for column in kind.columns}
        items = [item["data"] for item in completed.items()]
        families = families_of(kind)
        seen = {name for data in items for name in data if not name.startswith(families)}

        assert seen - declared == set() or not declared, "reported and not declared"
        assert declared - seen - self.rare == set(), "declared and never reported"

    def test_its_metrics_are_declared(self, completed: Record, kind: Kind) -> None:
        prefixes = (OF_THE_MACHINE, *(p.prefix for p in kind.panels if isinstance(p, Importances)))
        seen = {name for name in completed.run["metrics"] if not name.startswith(prefixes)}
        declared = {metric.name for metric in kind.metrics}

        assert seen - declared == set() or not declared, "reported and not declared"
        assert declared - seen - self.rare == set(), "declared and never reported"

    def test_its_phases_are_declared(self, completed: Record, kind: Kind) -> None:
        seen = {event["data"]["name"] for event in completed.log() if event["type"] == "phase.started"}

        assert seen <= set(kind.phases)

    # Steering

    def test_a_pause_takes_effect_after_the_items_in_hand_and_a_resume_goes_on(self, going: Record) -> None:
        going.control("pause")
        paused = going.wait(lambda run: run["status"] == "paused" or is_ended(run), "the pause")
        assert paused["status"] == "paused", TOO_SHORT
        going.control("resume")
        going.wait(lambda run: run["progress"]["done"] > paused["progress"]["done"], "it to go on")

        log = going.log()
        asked, stands, resumed = (
            seq_of(log, type_) for type_ in ("control.requested", "run.paused", "run.resumed")
        )
        begun = [each["seq"] for each in log if each["type"] == "item.started"]
        told = [each["seq"] for each in log if each["type"] == "item.finished"]
        assert [seq for seq in begun if asked < seq < resumed] == [], "an item was begun after the pause"
        assert [seq for seq in told if stands < seq < resumed] == [], "an item was finished in the pause"

    def test_a_pause_that_frees_its_memory_comes_back_as_a_new_attempt(
        self, going: Record, kind: Kind
    ) -> None:
        going.control("pause", strength="release")
        paused = going.wait(lambda run: run["status"] == "paused" or is_ended(run), "the pause")
        assert paused["status"] == "paused", TOO_SHORT
        assert paused["strength"] == ("release" if kind.can_release else "hold")
        going.control("resume")
        after = going.wait(lambda run: run["progress"]["done"] > paused["progress"]["done"], "it to go on")

        assert after["attempt"] == (2 if kind.can_release else 1)
        assert going.repeated() == set()

    def test_a_cancel_keeps_what_is_finished_and_leaves_no_process(self, going: Record) -> None:
        jobs = going.processes()
        going.control("cancel")
        run = going.wait(is_ended, "the end")

        assert run["status"] == "cancelled", TOO_SHORT
        assert run["progress"]["done"] == len(going.items()) > 0
        assert [job for job in jobs if job.is_running()] == []

    def test_a_job_killed_in_its_midst_repeats_nothing_that_was_finished(self, going: Record) -> None:
        before = {item["key"] for item in going.items()}
        going.kill()
        run = going.wait(is_ended, "the end")

        assert (run["status"], run["attempt"]) == ("completed", 2), TOO_SHORT
        assert run["progress"]["done"] == run["progress"]["total"]
        assert before <= {item["key"] for item in going.items()}
        assert going.repeated() == set()
