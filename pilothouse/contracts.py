"""The contracts between the engine and its plugs: store, bus, executor.

Small Protocols; `pilothouse.testing` holds a contract suite for each, and
whoever writes a plug subclasses it. All methods are called from the server's
event loop unless their docstring says otherwise; a plug that needs threads
keeps them to itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pilothouse.machines import Machines
from pilothouse.model.event import Body
from pilothouse.model.run import Run
from pilothouse.questions import ItemPage, ItemQuery, Reuse, RunPage, RunQuery

FIRST_LEASE_SECONDS = 15.0  # until the first word of an attempt that has just begun
COOPERATIVE_SECONDS = 3.0  # a cancelled job may take to obey, before SIGTERM
TERMINATE_SECONDS = 5.0  # and then, before SIGKILL
MAX_APPEND = 1000  # events in one append
WRITER_NAME = "[a-z0-9-]{1,32}"  # of one that counts what it sends, beside others of its attempt
EVERY_RUN = "*"  # what rings after an outage, in which rings of any run may be lost


@dataclass(frozen=True, slots=True)
class NewRun:
    """What a user asks for. `params` are validated already.

    Attributes:
        reuse: Results of the run that this one retries. Nobody sees the run, and no host can
            claim it, before it has all of them. Any number: a store never holds them all at once.
        process: Name of the process that asks and executes the run itself. Its first attempt
            begins in the transaction that makes the run; no host claims it. None: a host does.
    """

    id: str
    kind: str
    name: str
    owner: str
    params: dict[str, Any]
    tags: tuple[str, ...] = ()
    priority: int = 0
    retry_of: str | None = None
    idempotency_key: str | None = None
    reuse: Reuse | None = None
    process: str | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """One stored event: its place, its type, and its wire form (UTF-8 JSON on one line)."""

    seq: int
    type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Appended:
    """What an append did.

    Attributes:
        run: The state after it.
        frames: The new events, in order; empty when all were known already.
        acked: Highest `client_seq` of this writer and attempt that is stored or refused.
        refused: `client_seq` of events that the run's state does not admit
            (only with `lenient`), with the reason.
    """

    run: Run
    frames: tuple[Frame, ...] = ()
    acked: int = 0
    refused: dict[int, str] = field(default_factory=dict)


class Store(Machines, Protocol):
    """Keeps logs, and the state that folding them gives.

    Every append is one transaction: fence, seq, insert, fold, commit. It
    returns after the commit is durable, never before. Reads see every append
    that has returned.

    Raises, on any call: `Unavailable` when the database cannot be reached or
    cannot commit (disk full, locked); nothing is lost and the next call may succeed.
    """

    epoch: str

    async def open(self) -> None:
        """Connect; create or migrate the schema under a lock."""

    async def close(self) -> None:
        """Finish what was accepted and let go of the database."""

    async def create(self, new: NewRun) -> tuple[Run, bool]:
        """Store `run.queued` and the reused items, all or nothing, and give the run a number.

        With a `process`, `run.started` of attempt 1 belongs to it, and the first lease begins.

        Returns:
            The run, and False when `idempotency_key` named one that exists already
            (made within the last 24 hours).

        Raises:
            Conflict: There is a run with this id.
            NotFound: The run whose items are reused does not exist.
            Invalid: The params or a reused item cannot be written as JSON.
        """

    async def append(
        self,
        run_id: str,
        bodies: Sequence[Body],
        *,
        attempt: int | None = None,
        client_seq: int | None = None,
        lenient: bool = False,
        expected: str | None = None,
        lapsed: bool = False,
        writer: str = "job",
    ) -> Appended:
        """Append events in one transaction: all, or none.

        Args:
            run_id: The run.
            bodies: At most 1,000.
            attempt: The writer's attempt, None for users and the server itself.
            client_seq: The writer's own number of the first body; the others follow.
                Bodies with a number at or below the highest stored one of this writer and
                attempt are known already and skipped.
            lenient: Leave out the bodies that the state does not admit and report them
                as refused, instead of refusing all. A second `item.finished` of a key
                is left out too.
            expected: The run's `version` that the writer decided on. Compared in the
                transaction; a batch that is known already is not compared again.
            lapsed: Only if the attempt's lease has run out; compared in the transaction, too.
            writer: Who counts `client_seq`: 1 to 32 characters out of `a-z`, `0-9` and `-`.
                Each counts from 1. An attempt may have any number of them.

        Raises:
            NotFound: No such run.
            LeaseLost: `attempt` is not the run's current one, or the run has ended.
            Changed: The run's version is not the expected one, or its lease lives; nothing was written.
            Invalid: A body cannot be written as JSON, or the writer's name is malformed.
            InvalidTransition: The state forbids a body; nothing was written.
            TooLarge: More than 1,000 bodies.
        """

    async def renew(self, run_id: str, attempt: int, seconds: float) -> Run:
        """Prolong the attempt's lease to now + `seconds` by the database's clock.

        Raises:
            NotFound, LeaseLost: As for `append`.
        """

    async def get(self, run_id: str) -> Run:
        """The run by its id.

        Raises:
            NotFound: No such run.
        """

    async def resolve(self, reference: str) -> Run:
        """The run by id, unique beginning of an id, `#42` or `42`, name, or `@last`.

        Raises:
            NotFound: Nothing fits.
            Conflict: Several fit (code `ambiguous`); the message names some.
        """

    async def list(self, query: RunQuery) -> RunPage:
        """Runs newest first."""

    async def waiting(self, kinds: Sequence[str], limit: int) -> Sequence[Run]:
        """Queued runs of these kinds: the most urgent first, and of these the oldest.

        At most `limit` of those that may begin now, and all that have a back-off before them.
        """

    async def read(
        self, run_id: str, after: int, limit: int = 1000, types: Sequence[str] = (), newest: bool = False
    ) -> Sequence[Frame]:
        """Events with `seq > after`, ascending; of these types, when given.

        `newest` takes the last `limit` of them instead of the first. Of a trimmed log it gives
        nothing below `first_seq`; by type, what is kept of that part too.
        """

    async def first_seq(self, run_id: str) -> int:
        """Where the log begins: 1, or more after a trim.

        Raises:
            NotFound: No such run.
        """

    async def trim(self, run_id: str, before: int) -> int:
        """Forget the events with `seq < before`, piece by piece; the last event always stays.

        The run, its items and its latest saved state stay as they are. Of the part that is
        trimmed, reading by type still finds what is not in `pilothouse.stores.trimming.TRIMMED`.

        Returns:
            The new `first_seq`.

        Raises:
            NotFound: No such run.
        """

    async def items(self, run_id: str, query: ItemQuery) -> ItemPage:
        """Items newest first, or oldest first."""

    async def finished_keys(self, run_id: str) -> Sequence[str]:
        """Keys of all finished items, the failed ones included."""

    async def saved_state(self, run_id: str) -> dict[str, Any] | None:
        """The latest saved state, None without one."""

    async def acked(self, run_id: str) -> Mapping[str, int]:
        """The highest `client_seq` that is stored or refused: by writer, of the current attempt.

        Also by `<attempt>/<writer>`, of the 8 attempts before it, so that the next attempt
        sends of their spools what is missing and nothing twice.

        Raises:
            NotFound: No such run.
        """

    async def expired(self) -> Sequence[Run]:
        """Running (and held) runs whose lease has run out by the database's clock."""

    async def renew_epoch(self) -> str:
        """Tell everybody that the logs are not those they knew: the database was put back from a copy.

        For a store that no server uses. Every run, and the first event of its log, says the new epoch.

        Raises:
            Conflict: A server uses the database.
        """

    async def delete(self, run_id: str) -> None:
        """Remove a finished run with its log.

        Raises:
            NotFound: No such run.
            Conflict: The run has not ended.
        """


class Bus(Protocol):
    """A doorbell between servers: it says that a run has news, and carries no data."""

    async def open(self) -> None:
        """Connect."""

    async def close(self) -> None:
        """Disconnect; no ring comes after it."""

    async def ring(self, run_id: str) -> None:
        """Tell every server, this one too, that the run has news. May be lost; must not raise."""

    def subscribe(self, listener: Callable[[str], None]) -> Callable[[], None]:
        """Call `listener(run_id)` in the event loop at every ring, until the returned function is called.

        After an outage in which rings may be lost, `listener("*")` (`EVERY_RUN`) is called once.
        """


@dataclass(frozen=True, slots=True)
class Order:
    """Everything a child process needs to run one attempt."""

    run_id: str
    attempt: int
    entry: str
    server: str
    token: str
    folder: str


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child process ended: its exit code or signal, and the end of its output."""

    run_id: str
    attempt: int
    exit_code: int | None
    signal: int | None
    tail: str


class Executor(Protocol):
    """Starts attempts somewhere and tells when they end. Used by the host, not by the server.

    An attempt has ended when nothing that it started is alive; before that it is not told.
    """

    async def open(self, host: str, server: str) -> None:
        """Take up work for a host of this name, and end what an earlier host of that name left alive."""

    async def start(self, order: Order) -> None:
        """Start the attempt.

        Raises:
            Unavailable: The process cannot be started.
        """

    async def stop(self, run_id: str, *, force: bool = False) -> None:
        """Signal all that the attempt started: SIGTERM, or SIGKILL with `force`. Ignores unknown runs."""

    async def survivors(self, run_id: str) -> int:
        """How many processes of the attempt are alive; 0 for an unknown run."""

    async def dump(self, run_id: str) -> str:
        """The Python stack of every thread of the job; in words, why there is none.

        The job goes on. It answers though it is busy or hangs.
        """

    async def loads(self) -> dict[str, float]:
        """Processor use of each attempt by run id, 1.0 for one core, over the time since an earlier call.

        A run is missing until there are two looks to compare.
        """

    async def ended(self) -> Ended:
        """Wait for the next attempt that ends."""

    def running(self) -> list[str]:
        """Ids of the runs whose attempts are alive here."""

    async def close(self) -> None:
        """End everything that still runs."""
