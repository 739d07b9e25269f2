"""The strategy that learns: Optuna's tree-structured Parzen estimator, by ask and tell.

The study is a journal in the run's folder, `study.journal`, which any Optuna
tool can open. The run's log has the last word: what it knows and the journal
lacks is added, what was begun and never finished is asked again, and a journal
that cannot be read is put aside and written anew.
"""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Collection
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import TrialState

from pilothouse.kinds.autotune import space as spaces
from pilothouse.kinds.autotune.params import Params
from pilothouse.kinds.autotune.space import Point
from pilothouse.kinds.autotune.strategy import Known

JOURNAL = "study.journal"
NAME = "autotune"
EXPERIMENT = "experiment"
FIRST_BY_CHANCE = 10  # Optuna's default; a third of a short study
TRIES = 20
_log = logging.getLogger(__name__)


class Study:
    """A study of one run.

    Args:
        folder: Where the journal is kept.
        done: What the log knows to be finished.
        begun: What the log knows to be begun and not finished.
    """

    def __init__(self, params: Params, folder: Path, done: Collection[Known], begun: Known | None) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._space = params.space
        self._distributions = {each.name: _distribution(each) for each in params.space}
        self._size = spaces.size(params.space)
        self._is_single = len(params.objectives) == 1
        self._seen: set[tuple[spaces.Value, ...]] = set()
        self._study = _open(params, folder / JOURNAL, len(done))
        self._chance = spaces.random_points(params.space, params.seed)
        self._trials = {number: trial.number for trial in self._all() if (number := _experiment(trial))}
        self._reconcile(done, begun)

    def ask(self, number: int) -> Point | None:
        """See `Strategy`. No point is measured twice: where the estimator insists, chance decides."""
        if number in self._trials:
            return self._point_of(self._trials[number])
        if self._size is not None and len(self._seen) >= self._size:
            return None
        for _ in range(TRIES):
            trial = self._study.ask(self._distributions)
            point = self._rounded(trial.params)
            if spaces.identity(point) not in self._seen:
                return self._begin(number, trial, point)
            self._study.tell(trial, state=TrialState.FAIL)
        fresh = (point for point in self._chance if spaces.identity(point) not in self._seen)
        if not (point := next(fresh, {})):
            return None
        self._study.enqueue_trial(point)
        return self._begin(number, self._study.ask(self._distributions), point)

    def tell(self, known: Known) -> None:
        """See `Strategy`. What has no score counts as bad: as pruned, or with several objectives as failed."""
        trial = self._trials[known.number]
        if known.values is not None:
            self._study.tell(trial, list(known.values), skip_if_finished=True)
        else:
            self._study.tell(trial, state=self._unscored, skip_if_finished=True)

    @property
    def _unscored(self) -> TrialState:
        return TrialState.PRUNED if self._is_single else TrialState.FAIL

    def _all(self) -> list[optuna.trial.FrozenTrial]:
        return self._study.get_trials(deepcopy=False)

    def _begin(self, number: int, trial: optuna.Trial, point: Point) -> Point:
        trial.set_user_attr(EXPERIMENT, number)
        self._trials[number] = trial.number
        self._seen.add(spaces.identity(point))
        return point

    def _reconcile(self, done: Collection[Known], begun: Known | None) -> None:
        for known in done:
            self._seen.add(spaces.identity(known.point))
            if known.number not in self._trials:
                self._add(known)
            self.tell(known)
        finished = {known.number for known in done}
        for number, trial in list(self._trials.items()):
            is_begun = begun is not None and number == begun.number
            if number not in finished and not (is_begun and self._point_of(trial) == begun.point):  # type: ignore[union-attr]
                self._study.tell(trial, state=TrialState.FAIL, skip_if_finished=True)
                del self._trials[number]
        for trial_left in self._all():
            if trial_left.state is TrialState.RUNNING and _experiment(trial_left) not in self._trials:
                self._study.tell(trial_left.number, state=TrialState.FAIL)
        if begun is not None and begun.number not in self._trials and begun.number not in finished:
            self._study.enqueue_trial(dict(begun.point))
            self._begin(begun.number, self._study.ask(self._distributions), dict(begun.point))
        elif begun is not None:
            self._seen.add(spaces.identity(begun.point))

    def _add(self, known: Known) -> None:
        """A finished experiment that the journal lacks."""
        state = TrialState.COMPLETE if known.values is not None else self._unscored
        self._study.add_trial(
            optuna.trial.create_trial(
                state=state,
                params=dict(known.point),
                distributions=self._distributions,
                values=None if known.values is None else list(known.values),
                user_attrs={EXPERIMENT: known.number},
            )
        )
        self._trials[known.number] = self._all()[-1].number

    def _point_of(self, trial: int) -> Point:
        return self._rounded(self._all()[trial].params)

    def _rounded(self, params: dict[str, Any]) -> Point:
        return {
            each.name: spaces.rounded(value, *_ends(each))
            if isinstance(value := params[each.name], float)
            else value
            for each in self._space
        }


class _Alone(JournalFileOpenLock):
    """No lock: one attempt at a time owns the folder, and a lock would outlive a process that is killed."""

    def acquire(self) -> bool:
        """Always."""
        return True

    def release(self) -> None:
        """Nothing to do."""


def _open(params: Params, path: Path, finished: int) -> optuna.Study:
    """The study of the journal; a new one when there is none, or none that can be read."""
    try:
        _trim(path)
        return _load(params, path, finished)
    except Exception as error:  # whatever a broken file makes of Optuna
        _log.warning("%s cannot be read and is begun anew: %s", path, error)
        with contextlib.suppress(OSError):
            path.replace(path.with_suffix(".broken"))
        return _load(params, path, finished)


def _load(params: Params, path: Path, finished: int) -> optuna.Study:
    first = max(3, min(FIRST_BY_CHANCE, params.experiments // 3))
    sampler = optuna.samplers.TPESampler(n_startup_trials=first, seed=params.seed + finished)
    return optuna.create_study(
        storage=JournalStorage(JournalFileBackend(str(path), lock_obj=_Alone(str(path)))),
        sampler=sampler,
        study_name=NAME,
        directions=["minimize"] * len(params.objectives),
        load_if_exists=True,
    )


def _trim(path: Path) -> None:
    """Cut off a last line that a killed process did not finish: the next one would be glued to it."""
    if not path.exists():
        return
    with path.open("r+b") as file:
        whole = file.read()
        file.truncate(whole.rfind(b"\n") + 1)


def _ends(dimension: spaces.Dimension) -> tuple[float, float]:
    low, high = dimension.low, dimension.high
    return (-math.inf if low is None else low, math.inf if high is None else high)


def _experiment(trial: optuna.trial.FrozenTrial) -> int | None:
    number = trial.user_attrs.get(EXPERIMENT)
    return number if isinstance(number, int) else None


def _distribution(dimension: spaces.Dimension) -> BaseDistribution:
    if dimension.type == "int":
        assert dimension.low is not None and dimension.high is not None
        step = int(dimension.step or 1)
        high = dimension.low + (dimension.high - dimension.low) // step * step
        return IntDistribution(int(dimension.low), int(high), step=step)
    if (values := spaces.choices(dimension)) is not None:
        return CategoricalDistribution(values)
    assert dimension.low is not None and dimension.high is not None
    return FloatDistribution(dimension.low, dimension.high, log=dimension.type == "log")
