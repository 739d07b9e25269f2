"""The verbs: submit, append, control, retry.

Each is one append to one log followed by one ring. Nothing is kept here: two
engines on one database are as good as one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pilothouse import clock, failpoint, ids
from pilothouse.contracts import COOPERATIVE_SECONDS, TERMINATE_SECONDS, Appended, Bus, NewRun, Store
from pilothouse.engine.control import Wish, decide, is_accepted
from pilothouse.engine.doorbell import Doorbell
from pilothouse.engine.kinds import KindSpec, invalid_params
from pilothouse.errors import Changed, Conflict, InvalidParams, InvalidTransition
from pilothouse.model import event as e
from pilothouse.model.fold import fold
from pilothouse.model.run import Control, Run, Status, Strength
from pilothouse.questions import RunQuery

_PAGE = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a control.

    Attributes:
        run: The run after it.
        changed: False when the run was as asked for already; then no event was written.
        event_seq: The event that records the request, None when nothing changed.
        accepted: True when the job has yet to obey (HTTP 202).
    """

    run: Run
    changed: bool
    event_seq: int | None
    accepted: bool


class Engine:
    """The one place where runs are made, changed and steered."""

    def __init__(self, store: Store, bus: Bus, kinds: Mapping[str, KindSpec]) -> None:
        self.store = store
        self.bus = bus
        self.kinds = kinds
        self.doorbell = Doorbell(bus)

    def kind(self, name: str) -> KindSpec:
        """The kind's declaration.

        Raises:
            InvalidParams: No such kind; the message names those there are.
        """
        if name not in self.kinds:
            known = ", ".join(sorted(self.kinds))
            raise InvalidParams(f"kind: there is no kind {name!r}", hint=f"Kinds: {known}.", field="kind")
        return self.kinds[name]

    def validate(self, kind: str, params: dict[str, Any]) -> dict[str, Any]:
        """Check params against the kind and fill in its defaults.

        Raises:
            InvalidParams: `field` names the first bad one; `errors` lists all.
        """
        spec = self.kind(kind)
        try:
            return spec.validate(params)
        except ValueError as error:
            raise invalid_params(error) from None

    async def submit(self, new: NewRun) -> tuple[Run, bool]:
        """Store a validated run. Returns it, and False when its idempotency key was known.

        Raises:
            Conflict, Invalid: As for the store's `create`.
        """
        failpoint.reach("engine.create.before")
        run, created = await self.store.create(new)
        failpoint.reach("engine.create.after")
        if created:
            await self.bus.ring(run.id)
        return run, created

    def new_run(
        self, kind: str, params: dict[str, Any], *, name: str | None, owner: str, **more: Any
    ) -> NewRun:
        """A run to submit, validated, with an id and a name of its own.

        Raises:
            InvalidParams: No such kind, or params that it does not take.
        """
        spec = self.kind(kind)
        run_id = ids.new_run_id(spec.prefix)
        return NewRun(
            id=run_id,
            kind=kind,
            name=name or f"{kind}-{run_id[-4:]}",
            owner=owner,
            params=self.validate(kind, params),
            **more,
        )

    async def append(
        self,
        run_id: str,
        *bodies: e.Body,
        attempt: int | None = None,
        expected: str | None = None,
        lapsed: bool = False,
    ) -> Appended:
        """Append on behalf of the server or a user: all or none, then ring.

        Args:
            run_id: The run.
            bodies: The events.
            attempt: Only while this attempt owns the run; None: whoever owns it.
            expected: Only while the run has this version; see `Run.version`.
            lapsed: Only if the attempt's lease has run out.

        Raises:
            NotFound, LeaseLost, Changed, InvalidTransition: As for the store's `append`.
        """
        appended = await self.store.append(run_id, bodies, attempt=attempt, expected=expected, lapsed=lapsed)
        await self.bus.ring(run_id)
        return appended

    async def append_as(
        self,
        run_id: str,
        attempt: int,
        client_seq: int,
        bodies: Sequence[e.Body],
        lease_seconds: float,
        *,
        writer: str = "job",
    ) -> Appended:
        """Append on behalf of an attempt; without bodies, renew its lease.

        Args:
            run_id: The run.
            attempt: The attempt that writes.
            client_seq: The writer's number of the first body.
            bodies: The events; those that the run's state does not admit are refused one by one.
            lease_seconds: How long the lease lasts from now on.
            writer: Who of the attempt counts `client_seq`.

        Raises:
            NotFound: No such run.
            LeaseLost: Another attempt owns the run, or it has ended.
            Invalid, TooLarge: As for the store's `append`.
        """
        if not bodies:
            run = await self.store.renew(run_id, attempt, lease_seconds)
            failpoint.reach("engine.renew.after")
            return Appended(run)
        failpoint.reach("engine.append.before")
        appended = await self.store.append(
            run_id, bodies, attempt=attempt, client_seq=client_seq, lenient=True, writer=writer
        )
        failpoint.reach("engine.append.after")
        if appended.frames:
            await self.bus.ring(run_id)
        return appended

    async def control(self, run_id: str, wish: Wish) -> Answer:
        """Ask a run to pause, resume or cancel.

        The request is an event like any other, so every watcher sees who asked
        and when. It takes effect at the job's next safepoint. Asking twice is harmless.

        Raises:
            NotFound: No such run.
            InvalidControl: The run's status forbids it.
            Changed: The run no longer has the version that the wish names.
        """
        for _ in range(5):
            run = await self.store.get(run_id)
            wish = self._possible(run, wish)
            if wish.version is not None and wish.version != run.version:
                raise _changed(run)
            body = decide(run, wish)
            if body is None:
                return Answer(run, False, None, False)
            failpoint.reach("engine.control.before")
            try:
                appended = await self.append(run_id, body, expected=run.version)
            except (InvalidTransition, Changed):
                continue  # the run moved between the look and the append: look again
            failpoint.reach("engine.control.after")
            return Answer(appended.run, True, appended.run.head, is_accepted(run, appended.run, wish.control))
        raise Conflict(f"{run_id} changes too fast to {wish.control} it", hint="Try again.")

    async def foresee(self, run_id: str, wish: Wish) -> tuple[Answer, e.Body | None]:
        """What `control` would do now: the answer, with the run as it would be, and the event it would write.

        Raises:
            NotFound, InvalidControl, Changed: As for `control`.
        """
        run = await self.store.get(run_id)
        if wish.version is not None and wish.version != run.version:
            raise _changed(run)
        body = decide(run, self._possible(run, wish))
        if body is None:
            return Answer(run, False, None, False), None
        after = fold(run, e.Event(run.id, run.head + 1, clock.now(), body))
        return Answer(after, True, None, is_accepted(run, after, wish.control)), body

    def _possible(self, run: Run, wish: Wish) -> Wish:
        """The wish as the run can obey it: where a process cannot be let go it is held, a cancel has a deadline."""
        if wish.strength is Strength.RELEASE and not self.can_release(run):
            return replace(wish, strength=Strength.HOLD)
        if wish.control is Control.CANCEL and not run.attached:
            patience = 0.0 if wish.force else COOPERATIVE_SECONDS + TERMINATE_SECONDS
            return replace(wish, deadline=clock.later(patience))
        return wish

    def can_release(self, run: Run) -> bool:
        """Whether the run's process can leave during a pause and come back as a new attempt."""
        kind = self.kinds.get(run.kind)
        return not run.attached and (kind is None or kind.can_release)

    def stuck_after(self, run: Run) -> float:
        """Seconds without movement after which the run counts as stuck."""
        kind = self.kinds.get(run.kind)
        return kind.stuck_after(run.params) if kind else math.inf

    def cost_metric(self, run: Run) -> str | None:
        """The metric that counts the run's money, if its kind has one."""
        kind = self.kinds.get(run.kind)
        return kind.cost_metric if kind else None

    async def all_with(self, statuses: tuple[Status, ...], host: str | None = None) -> list[Run]:
        """All runs with one of these statuses, newest first; with `host`, those that went to it."""
        runs: list[Run] = []
        before: int | None = None
        while True:
            page = await self.store.list(RunQuery(statuses=statuses, host=host, limit=_PAGE, before=before))
            runs += page.runs
            before = page.before
            if before is None:
                return runs

    async def edit(self, run_id: str, actor: str, name: str | None, tags: Sequence[str] | None) -> Run:
        """Rename or tag a run.

        Raises:
            NotFound: No such run.
        """
        body = e.RunEdited(actor=actor, name=name, tags=None if tags is None else tuple(tags))
        return (await self.append(run_id, body)).run

    async def change_params(self, run_id: str, actor: str, values: dict[str, Any]) -> Run:
        """Change live params of a run that has not ended.

        Raises:
            NotFound: No such run.
            InvalidParams: A param that the kind does not let one change, or a bad value.
            InvalidTransition: The run has ended.
        """
        run = await self.store.get(run_id)
        live = self.kind(run.kind).live_params
        for field in values:
            if field not in live:
                hint = f"While it runs, only these can be changed: {', '.join(live) or 'none'}."
                raise InvalidParams(
                    f"{field}: cannot be changed while the run goes on", hint=hint, field=field
                )
        checked = self.validate(run.kind, run.params | values)
        body = e.ParamsChanged(actor=actor, values={field: checked[field] for field in values})
        return (await self.append(run_id, body)).run

    async def delete(self, run_id: str) -> None:
        """Remove a finished run with its log.

        Raises:
            NotFound: No such run.
            Conflict: It has not ended.
        """
        await self.store.delete(run_id)
        await self.bus.ring(run_id)


def _changed(run: Run) -> Changed:
    return Changed(
        f"Run {run.name} has moved on: it is {run.status} now, attempt {run.attempt}.",
        hint="Look at the run again, then decide.",
        version=run.version,
        status=run.status,
        pending=run.pending,
    )
