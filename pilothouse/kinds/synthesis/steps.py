"""The items of a synthesis: done once, whatever dies in between, and how many there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from pilothouse.kinds.synthesis.plan import Step
from pilothouse.sdk.done import Done
from pilothouse.sdk.handle import RunHandle
from pilothouse.sdk.signals import ItemFailed

FIXED = ("plan", "prepare", "report")
EACH = ("table", "metrics")
GROUP = "other steps"
NO_MEMORY = "There is not enough memory. Give a smaller batch size or fewer rows."


class Steps:
    """What is finished, and what is to be done.

    Args:
        run: The handle.

    Attributes:
        finished: By key, those of earlier attempts and of this one; the failed ones included.
    """

    def __init__(self, run: RunHandle) -> None:
        self._run = run
        self._epochs: dict[int, tuple[str, int]] = {}
        self.finished: dict[str, Done[Any]] = {done.key: done for done in run.finished()}

    def expect(self, number: int, step: Step, epochs: int) -> None:
        """Attempt `number` takes so many epochs; tells the new total."""
        self._epochs[number] = (group_of(number, step), epochs)
        others = len(FIXED) + len(EACH) * len(self._epochs)
        groups = {GROUP: others, **dict(self._epochs.values())}
        self._run.total(sum(groups.values()), groups)

    def do(
        self, key: str, label: str, known: Mapping[str, Any], work: Callable[[], dict[str, Any]]
    ) -> Done[Any]:
        """Do one step, unless it is finished.

        Args:
            key: Its name.
            label: What the screen shows while it is in hand.
            known: Columns known beforehand.
            work: Does it and returns its columns; an exception makes it a failed one.
        """
        if key not in self.finished:
            for _ in self.each([key], str, lambda _: label, known, GROUP, lambda _: work()):
                pass
        return self.finished[key]

    def each(
        self,
        items: Iterable[Any],
        key: Callable[[Any], str],
        label: Callable[[Any], str],
        known: Mapping[str, Any],
        group: str,
        work: Callable[[Any], dict[str, Any]],
    ) -> Iterator[Done[Any]]:
        """Do those of several steps that are not finished, one after another, up to the first that fails."""
        for done in self._run.map(
            _in_clear_words(work),
            items,
            key=key,
            describe=lambda _: known,
            label=label,
            group=lambda _: group,
        ):
            self.finished[done.key] = done
            yield done
            if not done.ok:
                return


def group_of(number: int, step: Step) -> str:
    """The epochs of one attempt take alike long."""
    return f"{number} {step.method}"


def _in_clear_words(work: Callable[[Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    """The same work, with a deliberate error in its own words and with its way out."""
    from pilothouse.errors import PilothouseError

    def tried(item: Any) -> dict[str, Any]:
        try:
            return work(item)
        except PilothouseError as error:
            raise ItemFailed(" ".join(filter(None, [error.message, error.hint]))) from error
        except (MemoryError, RuntimeError) as error:
            if isinstance(error, MemoryError) or "can't allocate memory" in str(error):  # so says torch
                raise ItemFailed(NO_MEMORY) from error
            raise

    return tried
