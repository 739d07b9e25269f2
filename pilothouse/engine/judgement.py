"""What people say of finished items by hand: read from the log, and laid beside the items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic_core import from_json

from pilothouse.contracts import MAX_APPEND
from pilothouse.engine.engine import Engine
from pilothouse.errors import Invalid, NotFound
from pilothouse.model import event as e

_PAGE = 5_000


@dataclass(frozen=True, slots=True)
class Judgement:
    """The last word on an item.

    Attributes:
        verdict: keep, drop or flag.
        by: Who said it.
        seq: Its place in the log.
    """

    verdict: e.Verdict
    by: str
    seq: int


async def judgements(engine: Engine, run_id: str) -> dict[str, Judgement]:
    """The judgements that stand, by the items' keys."""
    found: dict[str, Judgement] = {}
    after = 0
    while frames := await engine.store.read(run_id, after, _PAGE, ("item.judged",)):
        for frame in frames:
            data = from_json(frame.data)["data"]
            found.pop(data["key"], None)
            if data["verdict"] is not None:
                found[data["key"]] = Judgement(data["verdict"], data["actor"], frame.seq)
        after = frames[-1].seq
    return found


async def judge(
    engine: Engine, run_id: str, keys: Sequence[str], verdict: e.Verdict | None, actor: str
) -> int:
    """Say something of finished items, also after the end of their run; all of them, or none.

    Args:
        engine: The engine.
        run_id: The run.
        keys: At most 1,000 items.
        verdict: None takes back what was said.
        actor: Who says it.

    Returns:
        The `seq` of the last event.

    Raises:
        Invalid: No keys, or too many.
        NotFound: No such run, or an item that has not finished.
    """
    if not 0 < len(keys) <= MAX_APPEND:
        raise Invalid(f"keys: name 1 to {MAX_APPEND} items", field="keys")
    unknown = set(keys) - set(await engine.store.finished_keys(run_id))
    if unknown:
        raise NotFound(
            f"No item {min(unknown)!r} has finished in this run.",
            hint="Only what has finished can be judged; `pilothouse export` lists the keys.",
        )
    bodies = [e.ItemJudged(key=key, verdict=verdict, actor=actor) for key in dict.fromkeys(keys)]
    return (await engine.append(run_id, *bodies)).run.head
