"""Which model is asked: the first that works, in the order of the params.

A model that fails three times in a row is left alone for a while, as a topic is; one that only a
person can help is given up (`pilothouse.kinds.patience`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Literal

from pilothouse.kinds.generation.backend import Backend, Request
from pilothouse.kinds.generation.circuit import Circuits
from pilothouse.kinds.patience import Patience
from pilothouse.llm.client import Answer
from pilothouse.llm.errors import ModelError, RequestRefused

State = Literal["ready", "trial", "waiting", "gone"]
Told = Callable[[str, ModelError], None]


class NoneToAsk(Exception):
    """No model may be asked now."""


class Models:
    """The models of a batch. Thread-safe.

    Args:
        names: In the order in which they are preferred.
        on_left_alone: Told of a model that is left alone, and its error.
    """

    def __init__(
        self, names: Sequence[str], backend: Backend, circuits: Circuits, on_left_alone: Told
    ) -> None:
        self.patience = Patience()
        self._names = names
        self._backend = backend
        self._circuits = circuits
        self._on_left_alone = on_left_alone
        self._lock = threading.Lock()
        self._answered: set[str] = set()

    def check(self) -> None:
        """Give up at once on models that lack their key."""
        for name in self._names:
            if error := self._backend.check(name):
                self.patience.give_up(name, error)

    @property
    def state(self) -> State:
        """Whether a model may be asked: yes, once on trial, later, or never again."""
        given_up = self.patience.given_up
        left = [name for name in self._names if name not in given_up]
        if not left:
            return "gone"
        usable = [name for name in left if not self._circuits.is_open(name)]
        if any(not self._circuits.is_half_open(name) for name in usable):
            return "ready"
        return "trial" if usable else "waiting"

    @property
    def wait_seconds(self) -> float:
        """Seconds until a model that is left alone may be tried again."""
        return self._circuits.wait_seconds()

    def ask(self, request: Callable[[str], Request]) -> tuple[str, Answer]:
        """Ask the first model that answers; returns its name and the answer.

        Raises:
            ModelError: None answered; the last one's error.
            NoneToAsk: There was none to ask.
        """
        last: ModelError | None = None
        for name in self._names:
            if name in self.patience.given_up or self._circuits.is_open(name):
                continue
            self._circuits.begin(name)
            try:
                answer = self._backend.ask(request(name))
            except ModelError as error:
                last = error
                self._failed(name, error)
            except BaseException:
                self._circuits.give_back(name)
                raise
            else:
                self._worked(name)
                return name, answer
        if last is None:
            raise NoneToAsk
        raise last

    def _worked(self, name: str) -> None:
        with self._lock:
            self._answered.add(name)
        self.patience.answered(name)
        self._circuits.worked(name)

    def _failed(self, name: str, error: ModelError) -> None:
        """Every request looks alike, so one that was always refused will always be."""
        is_refused = isinstance(error, RequestRefused) and name not in self._answered
        is_hopeless = error.is_hopeless or is_refused
        self.patience.failed(name, error, is_hopeless=is_hopeless)
        if is_hopeless:
            self._circuits.give_back(name)
        elif self._circuits.failed(name):
            self._on_left_alone(name, error)
