"""The plan: which methods in which order, how long, and why. By written rules, or by a chat model.

The rules: few rows teach a network nothing, so the copula begins; else the GAN
does, with the copula as its backup. A network takes some 1,500 steps in all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pilothouse.kinds.chat import clients
from pilothouse.kinds.models import Model
from pilothouse.kinds.synthesis.params import METHODS, Method, Params
from pilothouse.llm.client import Retry
from pilothouse.llm.errors import ModelError

FEW_ROWS = 200
RETRIES = 3
STEPS = 1_500
MIN_EPOCHS, MAX_EPOCHS = 100, 300
MIN_BATCH, MAX_BATCH = 50, 500
BATCH_UNIT = 10
TITLES: dict[str, str] = {
    "ctgan": "conditional GAN",
    "tvae": "variational autoencoder",
    "copula": "Gaussian copula",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One attempt as it is planned."""

    method: Method
    epochs: int
    batch_size: int

    @property
    def title(self) -> str:
        """The method's name in words."""
        return TITLES[self.method]

    @property
    def settings(self) -> dict[str, int]:
        """What was decided of it; a copula needs nothing."""
        return {} if self.method == "copula" else {"epochs": self.epochs, "batch size": self.batch_size}


@dataclass(frozen=True, slots=True)
class Plan:
    """Attempts in order; the first is what was chosen, the others are its backups.

    Attributes:
        rationale: Why, in a sentence or two.
        by: `rules`, `params`, or the model's name.
    """

    steps: tuple[Step, ...]
    rationale: str
    by: str

    @property
    def text(self) -> str:
        """One line for the activity feed."""
        first, *backups = self.steps
        pace = "" if first.method == "copula" else f", {first.epochs} epochs, batch {first.batch_size}"
        rest = " → ".join(step.title for step in backups)
        title = first.title[0].upper() + first.title[1:]
        return f"{title}{pace}" + (f"; backup: {rest}" if rest else "; no backup")

    def data(self) -> dict[str, Any]:
        """The plan as JSON: for `of`, and with a title and settings of each step for people."""
        steps = [{**asdict(step), "title": step.title, "settings": step.settings} for step in self.steps]
        return {"steps": steps, "rationale": self.rationale, "by": self.by}

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Plan:
        """The plan that `data` made."""
        steps = (Step(step["method"], step["epochs"], step["batch_size"]) for step in data["steps"])
        return cls(tuple(steps), data["rationale"], data["by"])


@dataclass(frozen=True, slots=True)
class Shape:
    """What is known of a table before it is learned."""

    rows: int
    numeric: int
    categories: int


def by_rules(params: Params, shape: Shape) -> Plan:
    """The plan that the rules make; the params outrank them."""
    batch = shape.rows // 10 // BATCH_UNIT * BATCH_UNIT
    batch = params.batch_size or max(MIN_BATCH, min(MAX_BATCH, batch))
    each = max(1, shape.rows // batch)
    epochs = params.epochs or max(MIN_EPOCHS, min(MAX_EPOCHS, STEPS // each))
    if params.method != "agent":
        first: Method = params.method
        rationale, by = f"{first} was asked for.", "params"
    elif shape.rows < FEW_ROWS:
        first, by = "copula", "rules"
        rationale = f"{shape.rows} rows are too few for a network (fewer than {FEW_ROWS})."
    else:
        first, by = "ctgan", "rules"
        kinds = f"{shape.numeric} numeric and {shape.categories} categorical columns"
        rationale = f"{shape.rows:,} rows with {kinds}: enough for a network that can hold both together."
    return Plan(_steps(first, params.backups, epochs, batch), rationale, by)


def _steps(first: Method, backups: int, epochs: int, batch: int) -> tuple[Step, ...]:
    """The methods in turn; a network that comes again has twice the epochs, for more of the same changes nothing."""
    order = [first, *(method for method in METHODS if method != first)]
    networks = [method for method in order if method != "copula"]
    later = [networks[number % 2] for number in range(1 + backups)]
    methods = [*order, *later][: 1 + backups]
    return tuple(
        Step(method, *_pace(method, epochs * (2 if method in methods[:number] else 1), batch))
        for number, method in enumerate(methods)
    )


def _pace(method: Method, epochs: int, batch: int) -> tuple[int, int]:
    return (1, batch) if method == "copula" else (epochs, batch)


class NoPlan(Exception):
    """The model gave no plan that can be followed; the text says why."""


def by_model(
    model: Model,
    params: Params,
    shape: Shape,
    columns: list[dict[str, Any]],
    on_retry: Callable[[Retry], None],
    run_folder: Path,
) -> Plan:
    """Ask a chat model; names, types and counts are told, never a value of the table.

    Args:
        model: Whom to ask.
        params: Of the run; they outrank the answer.
        shape: Of the table.
        columns: As the table describes them.
        on_retry: Told before each wait.
        run_folder: Of the run that asks: rate limits hold across all runs of its data folder.

    Raises:
        NoPlan: No answer, or none that can be followed.
    """
    rules = by_rules(params, shape)
    listed = json.dumps(
        [{key: column[key] for key in ("column", "type", "levels")} for column in columns[:100]]
    )
    prompt = (
        f"Plan how to make a synthetic table. {shape.rows} rows. Columns: {listed}\n"
        "Methods: ctgan (conditional GAN), tvae (variational autoencoder), copula (Gaussian copula). "
        'Answer with JSON only: {"methods": ["ctgan", "copula"], "epochs": 300, "batch_size": 500, '
        f'"rationale": "one sentence"}}. At most {1 + params.backups} methods, the later ones are backups.'
    )
    asked = clients([model], retries=RETRIES, on_retry=on_retry, run_folder=run_folder)
    with closing(asked[model.name]) as client:
        try:
            answer = client.ask([{"role": "user", "content": prompt}], max_tokens=500)
        except ModelError as error:
            raise NoPlan(error.message) from error
    return read_plan(answer.text, rules, params, model.name)


def read_plan(text: str, rules: Plan, params: Params, by: str) -> Plan:
    """The plan in a model's answer; what it leaves out is as the rules have it.

    Raises:
        NoPlan: No JSON object with known methods.
    """
    found = re.search(r"\{.*\}", re.sub(r"<think>.*?</think>", "", text, flags=re.DOTALL), re.DOTALL)
    try:
        told = json.loads(found[0]) if found else None
    except (ValueError, RecursionError):
        told = None
    methods = told.get("methods") if isinstance(told, dict) else None
    if not isinstance(told, dict) or not isinstance(methods, list) or not methods:
        raise NoPlan("the answer holds no JSON object with methods")
    if unknown := [method for method in methods if method not in METHODS]:
        raise NoPlan(f"the answer names {unknown[0]!r}, which is no method")
    epochs = params.epochs or _whole(told.get("epochs"), 1, 2_000) or rules.steps[0].epochs
    batch = (
        params.batch_size or _whole(told.get("batch_size"), BATCH_UNIT, 5_000) or rules.steps[0].batch_size
    )
    chosen = list(dict.fromkeys(methods))[: 1 + params.backups]
    steps = tuple(Step(method, *_pace(method, epochs, batch)) for method in chosen)
    return Plan(steps, str(told.get("rationale") or "no reason given")[:500], by)


def _whole(value: Any, least: int, most: int) -> int | None:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return min(most, max(least, value)) if is_number else None
