"""Makes one sample: asks, reads, checks and keeps, in a few tries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pilothouse.kinds.generation.backend import Backend, Request
from pilothouse.kinds.generation.dataset import Dataset, DatasetBroken, Full, Sample
from pilothouse.kinds.generation.form import Fields, Unfit, text_of
from pilothouse.kinds.generation.mix import Cell
from pilothouse.kinds.generation.models import Models, NoneToAsk
from pilothouse.kinds.generation.params import Params
from pilothouse.kinds.generation.similarity import digest
from pilothouse.kinds.template import fill
from pilothouse.llm.client import Answer
from pilothouse.llm.errors import ModelError
from pilothouse.sdk.signals import ItemFailed

Verdict = Literal["kept", "rejected", "duplicate", "failed", "surplus"]
PREVIEW = 2_000
SEEDS_PER_SAMPLE = 100
AGAIN = "Your last reply was not taken: {why}. Write another one."
TOO_ALIKE = "it is too much like an earlier one; choose another case"


@dataclass(frozen=True, slots=True)
class Slot:
    """One sample to make.

    Attributes:
        number: Its key within the run.
        id: The same for every attempt to make it, and for a run that retries this one.
    """

    number: int
    id: str
    cell: Cell

    def columns(self) -> dict[str, Any]:
        """What is known before a model is asked."""
        cell = self.cell
        return {"number": self.number, "topic": cell.topic, "difficulty": cell.difficulty, "type": cell.type}


@dataclass(slots=True)
class _Spent:
    """What the tries of one sample have used."""

    tries: int = 0
    replies: int = 0
    unfit: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    is_estimated: bool = False
    cost: float | None = None
    model: str = ""
    why: str = ""
    verdict: Verdict = "failed"
    duplicate_of: str | None = None
    hint: str | None = None
    fault: Literal["model", "sample"] = "model"
    more: dict[str, Any] = field(default_factory=dict)

    def columns(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict,
            "kept": self.verdict == "kept",
            "reason": self.why or None,
            "duplicate_of": self.duplicate_of,
            "fault": None if self.verdict == "kept" else self.fault,
            "model": self.model,
            "tries": self.tries,
            "replies": self.replies,
            "unfit": self.unfit,
            "tokens": self.tokens_in + self.tokens_out,
            "tokens_in": self.tokens_in,
            "tokens_out": self.tokens_out,
            "tokens_estimated": self.is_estimated,
            "cost": self.cost,
            **self.more,
        }


class Maker:
    """Makes samples. Thread-safe.

    Args:
        params: The validated params.
        backend: Who knows prices.
        models: Who is asked.
        dataset: Where samples are kept.
        name: Gives the name of a sample, such as `batch_1760790379_deacb1b0 #12`, of its number.
    """

    def __init__(
        self, params: Params, backend: Backend, models: Models, dataset: Dataset, name: Callable[[int], str]
    ) -> None:
        self._params = params
        self._form = params.form()
        self._backend = backend
        self._models = models
        self._dataset = dataset
        self._name = name

    def make(self, slot: Slot) -> Mapping[str, Any]:
        """The columns of a sample that was kept or rejected, or has found no place.

        One that is kept already, by an attempt that died before it could say so, is not made again.

        Raises:
            ItemFailed: There is none after all tries, or it could not be kept.
            DatasetBroken: The dataset cannot be used; no model was asked.
        """
        if record := self._dataset.find(slot.id):
            return record
        if not self._dataset.reserve(slot.id, self._params.dataset_target):
            return _Spent(verdict="surplus", why="other batches have filled the dataset").columns()
        try:
            return self._tried(slot)
        finally:
            self._dataset.release(slot.id)

    def _tried(self, slot: Slot) -> Mapping[str, Any]:
        spent = _Spent()
        for number in range(1, self._params.tries + 1):
            spent.tries, spent.duplicate_of, spent.hint, spent.more = number, None, None, {}
            try:
                model, answer = self._models.ask(lambda name: self._request(slot, spent, name))
            except ModelError as error:
                spent.verdict, spent.fault = "failed", "model"
                spent.why, spent.hint = error.message, error.hint
                continue
            except NoneToAsk:
                spent.why = spent.why or "no model could be asked"
                break
            self._count(spent, model, answer)
            try:
                self._judge(slot, spent, answer)
            except DatasetBroken as error:  # it is paid for, and the log keeps it
                spent.verdict, spent.fault = "failed", "model"
                spent.why, spent.hint = error.message, error.hint
                break
            if spent.verdict in ("kept", "surplus"):
                break
        if spent.verdict == "failed":
            text = f"{spent.why} {spent.hint or ''}".strip()
            raise ItemFailed(text, **spent.columns())
        return spent.columns()

    def _request(self, slot: Slot, spent: _Spent, model: str) -> Request:
        """The instructions, filled, the form, and what was wrong with the last reply, if that was the reply's fault."""
        cell, params = slot.cell, self._params
        parts = [
            fill(params.instructions, {**slot.columns(), "type": cell.type}),
            self._form.request,
            AGAIN.format(why=spent.why.rstrip(".")) if spent.why and spent.fault == "sample" else "",
        ]
        seed = params.seed + slot.number * SEEDS_PER_SAMPLE + spent.tries
        key = f"{slot.id} {digest(cell.label)} {spent.tries} {model}"
        return Request(model, "\n\n".join(filter(None, parts)), seed, key)

    def _count(self, spent: _Spent, model: str, answer: Answer) -> None:
        """Every try is paid for, also one that is not kept."""
        spent.model = model
        spent.replies += 1
        spent.tokens_in += answer.tokens_in
        spent.tokens_out += answer.tokens_out
        spent.is_estimated |= answer.estimated
        cost = self._backend.cost(model, answer.tokens_in, answer.tokens_out)
        if cost is not None:
            spent.cost = (spent.cost or 0.0) + cost

    def _judge(self, slot: Slot, spent: _Spent, answer: Answer) -> None:
        """What becomes of a reply."""
        spent.fault = "sample"
        try:
            if answer.finish_reason == "length":
                raise Unfit("the reply was cut at max_tokens")
            fields = self._form.read(answer.text)
        except Unfit as error:
            spent.unfit += 1
            spent.verdict, spent.why = "failed", str(error)
            return
        text = text_of(fields)
        spent.more = {"words": len(text.split()), "text": text[:PREVIEW], "sample": fields}
        if why := next(filter(None, (rule.broken_by(fields) for rule in self._params.rules)), None):
            spent.verdict, spent.why = "rejected", why
            return
        self._keep(slot, spent, fields, text)

    def _keep(self, slot: Slot, spent: _Spent, fields: Fields, text: str) -> None:
        spent.verdict, spent.why = "kept", ""
        record = {**slot.columns(), **spent.columns()}
        sample = Sample(slot.id, self._name(slot.number), text, record)
        try:
            alike = self._dataset.keep(sample, self._params.dataset_target)
        except Full:
            spent.verdict, spent.why = "surplus", "other batches have filled the dataset"
            return
        if alike:
            spent.verdict, spent.duplicate_of, spent.why = "duplicate", alike.name, TOO_ALIKE
            spent.more["likeness"] = round(alike.share, 4)
