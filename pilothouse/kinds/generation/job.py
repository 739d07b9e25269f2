"""The loop of a batch.

A sample that is not kept is an item like any other, and never the end of the run. The run pauses
when its budget or its time is spent, waits while every topic or model is left alone, and ends when its
own target or that of the shared dataset is reached.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from itertools import count
from pathlib import Path
from typing import Any

from pilothouse.errors import PilothouseError
from pilothouse.kinds.generation.backend import Backend, ChatBackend
from pilothouse.kinds.generation.circuit import Circuits
from pilothouse.kinds.generation.dataset import Dataset, DatasetBroken, Sample
from pilothouse.kinds.generation.form import text_of
from pilothouse.kinds.generation.limits import Limits
from pilothouse.kinds.generation.maker import Maker, Slot
from pilothouse.kinds.generation.mix import Cell
from pilothouse.kinds.generation.models import Models
from pilothouse.kinds.generation.news import News
from pilothouse.kinds.generation.output import Output
from pilothouse.kinds.generation.params import Params
from pilothouse.kinds.generation.tally import Tally
from pilothouse.kinds.patience import NoModelLeft
from pilothouse.kinds.retries import Retries
from pilothouse.kinds.spending import uncounted
from pilothouse.sdk.done import Done
from pilothouse.sdk.handle import RunHandle
from pilothouse.sdk.signals import Cancelled, ItemFailed

Clock = Callable[[], float]
LOOK_SECONDS = 0.2
ALIVE_SECONDS = 30.0


class NothingKept(PilothouseError):
    """Not one sample was kept, and there is no reason to think that the next one will be."""

    code = "nothing_kept"


def run(run: RunHandle) -> None:
    """Make a batch with chat models."""
    params = Params.model_validate(run.params)
    tell = Retries(lambda text: run.note("backup", text))
    with closing(ChatBackend(params, tell, run.folder, run.attempt > 1)) as backend:
        perform(run, params, backend)


def perform(run: RunHandle, params: Params, backend: Backend, clock: Clock = time.monotonic) -> None:
    """Make a batch in the dataset that its params name.

    Args:
        clock: Seconds that never go back.

    Raises:
        DatasetBroken, NoModelLeft, NothingKept: Why it cannot go on.
    """
    path = dataset_path(run.folder, params.dataset)
    with closing(Dataset(path, params.near_duplicate)) as dataset:
        Batch(run, params, backend, dataset, clock).run()


def dataset_path(folder: Path, name: str | None) -> Path:
    """The file of a dataset: in the data folder when it has a name, else in the run's own folder."""
    if name is None:
        return folder / "dataset.db"
    shared = folder.parent.parent / "datasets"
    return shared / f"{name}.db"


class Batch:
    """One attempt of one batch.

    Args:
        run: The handle; its live params are read between samples.
        params: The validated params.
        backend: Who writes.
        dataset: Where samples are kept.
        clock: Seconds that never go back; topics and models are left alone by it.
    """

    def __init__(
        self, run: RunHandle, params: Params, backend: Backend, dataset: Dataset, clock: Clock
    ) -> None:
        self._run = run
        self._params = params
        self._dataset = dataset
        self._tally = Tally()
        self._mix = params.mix()
        self._limits = Limits(run, params, self._tally)
        self._news = News(run, params, self._tally)
        self._topics = Circuits(params.breaker_failures, params.breaker_seconds, clock)
        names = [model.name for model in params.models]
        breakers = Circuits(seconds=params.breaker_seconds, clock=clock)
        self._uncounted = uncounted(names, backend.cost)
        self._models = Models(names, backend, breakers, self._news.left_alone)
        self._maker = Maker(params, backend, self._models, dataset, self._name)
        self._output = Output(run.folder, run.artifact)
        self._finished: set[int] = set()
        self._next = 1
        self._in_hand = 0
        self._not_kept_in_a_row = 0
        self._is_given_up = False
        self._last_reason = ""

    def run(self) -> None:
        """Make what is left of the samples.

        Raises:
            NoModelLeft: Every model was given up.
            NothingKept: No sample was kept, again and again.
        """
        with closing(self._output):
            self._remember()
            try:
                self._make()
            except Cancelled:
                with suppress(OSError, PilothouseError):
                    self._output.end()
                raise

    def _make(self) -> None:
        self._tell_total()
        self._news.planned(self._dataset.count if self._params.dataset else None)
        if self._uncounted and self._run.params.get("budget") is not None:
            self._run.note("error", self._uncounted)
        self._models.check()
        self._tell_given_up()
        with self._run.phase("Samples", 1, 1):
            while self._is_wanted() and self._models.state != "gone":
                self._wait_until_possible()
                self._round()
        if self._is_hopeless:
            text = f"None of {self._tally.count} samples was kept, the last because: {self._last_reason}"
            raise NothingKept(
                text, hint="Change instructions, schema or rules, and retry with the new params."
            )
        self._conclude()

    def _remember(self) -> None:
        """Count what is finished already, by an earlier attempt or by the run that this one retries."""
        self._output.begin()
        for done in self._run.finished():
            self._tally.add(done.data)
            self._finished.add(int(done.key))
            if done.data.get("kept"):
                self._mix.add(_cell_of(done.data))
                self._output.restore(self._restored(int(done.key), done.data))
        self._limits.begin()

    def _restored(self, number: int, data: dict[str, Any]) -> dict[str, Any]:
        """A kept sample, whole: the log holds 64 KB of one. A dataset of one's own gets what it lacks."""
        if record := self._dataset.find(self._id(number)):
            return record
        if self._params.dataset is None and isinstance(data.get("sample"), dict):
            self._dataset.keep(Sample(self._id(number), self._name(number), text_of(data["sample"]), data))
        return data

    def _round(self) -> None:
        """Make samples until none is to be begun and none in hand."""
        for done in self._run.map(
            self._work,
            self._slots(),
            key=lambda slot: str(slot.number),
            concurrency=self._params.concurrency,
            describe=lambda slot: slot.columns(),
            label=lambda slot: f"#{slot.number} {slot.cell.label}".strip(),
        ):
            self._after(done)
            self._tell_given_up()
            metrics = self._tally.metrics(self._params.target, self._limits.seconds)
            self._run.metric(step=self._tally.count, **metrics)
            if not done.data.get("kept"):
                self._give_up()

    def _slots(self) -> Iterator[Slot]:
        """The samples to begin; asked for the next one whenever there is room."""
        for number in count(self._next):
            if number in self._finished:
                continue
            self._next = number
            if not self._is_wanted():
                return
            self._limits.keep(self._progress)
            if self._obstacle():
                return
            state = self._models.state
            if state == "gone" or (state == "trial" and self._in_hand):
                return
            if self._params.dataset_target and self._room() <= 0:
                return
            cell = self._mix.next(lambda topic: not self._topics.is_open(topic))
            if cell is None:
                return
            self._topics.begin(cell.topic)
            self._mix.add(cell)
            self._finished.add(number)
            self._in_hand += 1
            yield Slot(number, self._id(number), cell)

    def _work(self, slot: Slot) -> dict[str, Any]:
        """One sample; in a worker thread."""
        with self._limits.stopwatch.working():
            try:
                return dict(self._maker.make(slot))
            except DatasetBroken as error:
                raise ItemFailed(f"{error.message} {error.hint}", verdict="failed", fault="model") from error

    def _after(self, done: Done[Slot]) -> None:
        """Count one finished sample."""
        assert done.item
        self._in_hand -= 1
        data, begun = done.data, done.item.cell
        self._tally.add(data)
        self._mix.add(begun, -1)
        self._limits.save()
        if data.get("kept"):
            self._mix.add(_cell_of(data))
            self._topics.worked(begun.topic)
            self._not_kept_in_a_row = 0
            self._output.add(data)
            return
        self._tell_total()
        self._news.not_kept(data, done.error)
        self._last_reason = done.error or str(data.get("reason"))
        if data.get("verdict") != "surplus":
            self._not_kept_in_a_row += 1
        if begun.topic and data.get("fault") == "sample" and data.get("verdict") != "surplus":
            if self._topics.failed(begun.topic):
                self._news.topic_closed(begun.topic, self._last_reason)
        else:
            self._topics.give_back(begun.topic)

    # When to go on

    def _is_wanted(self) -> bool:
        """Whether one more sample is to be begun, those in hand counted as kept."""
        params = self._params
        if self._is_hopeless:
            return False
        if params.target is not None and self._tally.kept + self._in_hand >= params.target:
            return False
        return params.dataset_target is None or self._dataset.count < params.dataset_target

    def _room(self) -> int:
        """Places of the shared dataset that this batch may begin a sample for."""
        assert self._params.dataset_target
        return self._dataset.room(self._params.dataset_target, self._in_hand)

    def _obstacle(self) -> str | None:
        """Why nothing can be begun now though it is wanted; None when something can."""
        if self._models.state == "waiting":
            return f"Every model is left alone; the next try is in {self._models.wait_seconds:.0f} s."
        topics = self._params.topics
        if topics and all(self._topics.is_open(topic) for topic in topics) and not self._in_hand:
            return f"Every topic is left alone; the next try is in {self._topics.wait_seconds():.0f} s."
        if self._params.dataset_target and not self._in_hand and self._room() <= 0:
            return "Other batches hold the last places of the dataset; waiting for what becomes of them."
        return None

    def _wait_until_possible(self) -> None:
        """Wait while there is an obstacle; pause and cancel are obeyed meanwhile."""
        why = self._obstacle()
        if why is None:
            return
        self._news.waits(why)
        alive = time.monotonic()
        while self._is_wanted() and self._obstacle():
            self._run.safepoint()
            time.sleep(LOOK_SECONDS)
            if time.monotonic() - alive >= ALIVE_SECONDS:  # it waits and knows why: it is not stuck
                alive = time.monotonic()
                self._run.metric(step=self._tally.count, kept=self._tally.kept)

    def _give_up(self) -> None:
        """Stop asking for what is never kept; what is in hand is finished first."""
        row = self._not_kept_in_a_row
        if row < self._params.give_up_after and (self._tally.kept or not self._is_every_topic_closed()):
            return
        if self._models.state == "gone":
            return
        if not self._tally.kept:
            self._is_given_up = True
            return
        self._limits.ask_pause(
            "not_kept",
            f"{row} samples in a row were not kept, the last because: {self._last_reason} "
            "Resume to go on all the same, or cancel and retry with other params.",
        )
        self._not_kept_in_a_row = 0

    @property
    def _is_hopeless(self) -> bool:
        """Whether it was given up, and nothing that was in hand has changed that."""
        return self._is_given_up and not self._tally.kept

    def _is_every_topic_closed(self) -> bool:
        topics = self._params.topics
        return bool(topics) and all(self._topics.is_open(topic) for topic in topics)

    # What is told

    def _name(self, number: int) -> str:
        """What other batches call a sample of this one."""
        return f"{self._run.id} #{number}"

    def _id(self, number: int) -> str:
        return self._run.idempotency_key(str(number))

    @property
    def _progress(self) -> str:
        of = f" of {self._params.target}" if self._params.target else ""
        return f"{self._tally.kept}{of} samples kept"

    def _tell_total(self) -> None:
        """The target, and one more item for each that was not kept."""
        if self._params.target is not None:
            self._run.total(self._params.target + self._tally.count - self._tally.kept)

    def _tell_given_up(self) -> None:
        for model, error in self._models.patience.given_up.items():
            self._news.gave_up(model, error)

    def _conclude(self) -> None:
        """Say how it ended, and send the files."""
        params = self._params
        self._output.end(self._dataset.records() if params.dataset else None)
        if self._is_wanted():
            error = list(self._models.patience.given_up.values())[-1]
            raise NoModelLeft(f"{error.message} {self._progress}, the rest was not tried.", hint=error.hint)
        self._run.total(self._tally.count)
        if params.target is not None and self._tally.kept >= params.target:
            return
        self._news.concluded(
            f"The dataset {params.dataset} is full; this batch has {self._tally.kept} of it."
        )


def _cell_of(data: dict[str, Any]) -> Cell:
    return Cell(*(str(data.get(name) or "") for name in ("topic", "difficulty", "type")))
