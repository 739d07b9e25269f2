"""What can happen next: every step of a user, a server, a host, a job, or of bad luck."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pilothouse.model import event as e
from pilothouse.model.run import Run, Status, Strength
from tests.engine.protocol.server import Server, Step
from tests.engine.protocol.witness import Scene, Seen, believe, hear, hold_against
from tests.engine.protocol.world import WISHES, Bounds, Job, Work, World

Move = tuple[str, World]
QUIET = ("running", None)
GONE = frozenset({"queued", "completed", "failed", "cancelled"})


@dataclass
class Rules:
    """The moves within some bounds."""

    bounds: Bounds
    server: Server
    doing: str = ""

    def begin(self) -> World:
        """A run that was just made."""
        return World(self.server.create(), (), (), self.bounds.left, Seen())

    def moves(self, world: World) -> Iterator[Move]:
        """Every move, with the world after it.

        Raises:
            Broken: A move breaks a promise.
        """
        run = self.server.run(world.log)
        for work in world.works:
            yield from self._go_on(world, work)
        if len(world.works) < self.bounds.works:
            yield from self._begin_work(world, run)
        for job in world.jobs:
            yield from self._accidents(world, job)
            if job.phase != "dead":
                yield from self._step(world, job)
                if self.server.must_end(world.log, job.attempt):
                    yield f"host ends {job.attempt}", world.with_job(job, job._replace(phase="dead"))

    def is_settled(self, world: World) -> bool:
        """Whether the run has ended, or waits for a user and for nobody else."""
        run = self.server.run(world.log)
        if run.status is not Status.PAUSED or run.pending:
            return run.status.is_terminal
        is_held = any(job.attempt == run.attempt and job.phase == "held" for job in world.jobs)
        return run.strength is Strength.RELEASE or is_held

    # Servers

    def _begin_work(self, world: World, run: Run) -> Iterator[Move]:
        seen = self.server.seen(world.log)
        if world.left.commands and not run.status.is_terminal:
            for name in self.bounds.wishes:
                yield f"asks {name}", world.spend("commands").with_work(None, Work(name, seen, seen))
        for name, is_paid in self._own_works(world, run):
            work = Work(name, seen, seen)
            if not any(other.name == name for other in world.works):
                after = world.spend("lapses") if is_paid else world
                yield f"begins {name}", after.with_work(None, work)

    def _own_works(self, world: World, run: Run) -> Iterator[tuple[str, bool]]:
        """What servers do by themselves, and whether it needs a lease that runs out early."""
        if run.status is Status.QUEUED and run.attempt < self.bounds.attempts:
            for host in self.bounds.hosts:
                yield f"claim:{host}", False
        if self.server.has_lease(world.log):
            is_heard = self._is_heard(world, run.attempt)
            if not is_heard or world.left.lapses:
                yield "reap", is_heard
            if run.host and not any(job.host == run.host for job in world.jobs):
                yield f"orphans:{run.host}", False
        if self.bounds.has_timer and run.status is Status.PAUSED:
            yield "tick", False

    def _is_heard(self, world: World, attempt: int) -> bool:
        """Whether somebody renews the lease, or will tell of the end."""
        is_told = any(work.name == "ended" and work.attempt == attempt for work in world.works)
        return is_told or any(job.attempt == attempt for job in world.jobs)

    def _go_on(self, world: World, work: Work) -> Iterator[Move]:
        """The append of a work, or its next look."""
        self.doing = work.name
        step = self._call(world.log, work)
        if step.outcome == "look":
            again = work._replace(last=self.server.seen(world.log))
            if again != work:
                yield f"{work.name} looks again", world.with_work(work, again)
            return
        is_fresh = self.server.runs[work.last].turned == 0
        if work.name in WISHES and is_fresh and step.outcome == "done" and not step.told:
            believe(world.seen, WISHES[work.name].control)
        rest = self._after(world.with_work(work, None), step, None)
        if work.name.startswith("claim") and step.told:
            yield f"{work.name} loses the order", rest.spend("crashes") if rest.left.crashes else rest
            job = Job(self.server.run(step.log).attempt, work.name[-1])
            rest = rest._replace(jobs=(*rest.jobs, job))
        yield f"{work.name}: {_told(step)}", rest

    def _call(self, log: int, work: Work) -> Step:
        name, _, host = work.name.partition(":")
        if name in WISHES:
            return self.server.control(log, WISHES[name], work.last)
        if name == "claim":
            return self.server.claim(log, host, work.last)
        if name == "ended":
            return self.server.ended(log, work.attempt, work.is_evicted, work.first, work.last)
        if name == "orphans":
            return self.server.orphans(log, host, work.first, work.last)
        if name == "tick":
            return self.server.tick(log, work.first, work.last)
        return self.server.reap(log, work.first, work.last)

    def _after(self, world: World, step: Step, writer: int | None) -> World:
        """The world after an append, if no promise is broken."""
        if not step.told:
            return world
        alive = frozenset(job.attempt for job in world.jobs if job.is_alive)
        scene = Scene(writer, alive, self.bounds.items)
        seen = hear(world.seen, step.told, scene)
        hold_against(self.server.run(step.log), self.server.has_lease(step.log), seen)
        works = world.works
        if step.is_turned:
            works = tuple(sorted(self._aged(work) for work in works))
        return world._replace(log=step.log, seen=seen, works=works)

    def _aged(self, work: Work) -> Work:
        first, last = self.server.aged(work.first, work.last)
        return work._replace(first=first, last=last)

    # Bad luck, and hosts

    def _accidents(self, world: World, job: Job) -> Iterator[Move]:
        seen = self.server.seen(world.log)
        if job.phase == "dead":
            work = Work("ended", seen, seen, job.attempt, job.is_evicted)
            yield f"host tells the end of {job.attempt}", world.with_job(job, None).with_work(None, work)
        elif job.phase == "leaving":
            yield f"{job.attempt} exits", world.with_job(job, job._replace(phase="dead"))
        if world.left.crashes:
            after = world.spend("crashes")
            yield f"{job.attempt} vanishes with its host", after.with_job(job, None)
            if job.is_alive:
                yield f"{job.attempt} dies", after.with_job(job, job._replace(phase="dead"))
        if world.left.evictions and job.is_alive:
            gone = job._replace(phase="dead", is_evicted=True)
            yield f"the host of {job.attempt} stops", world.spend("evictions").with_job(job, gone)

    # Jobs

    def _step(self, world: World, job: Job) -> Iterator[Move]:
        if job.phase == "leaving":
            if job.view is not None and job.view[0] == "paused" and world.left.failures:
                yield from self._say(
                    world.spend("failures"), job, e.RunFailed(message="no"), "leaving", "leaving"
                )
            return
        told = self.server.view(world.log, job.attempt)
        if job.phase == "starting":
            known = self.server.finished(world.log)
            is_ours = told is not None and told[0] not in ("completed", "failed", "cancelled")
            phase = "working" if is_ours else "leaving"
            yield (
                f"{job.attempt} starts",
                world.with_job(job, job._replace(phase=phase, view=told, known=known)),
            )
            return
        if told != job.view:
            yield f"{job.attempt} hears {told}", world.with_job(job, job._replace(view=told))
        if job.hand:
            done = e.ItemFinished(key=job.hand, seconds=1)
            yield from self._say(world, job, done, job.phase, job.phase)
        yield from self._obey(world, job)
        if job.phase == "working" and job.hand is None:
            yield from self._work(world, job)

    def _obey(self, world: World, job: Job) -> Iterator[Move]:
        """What a safepoint does with what the job knows."""
        if job.view is None or job.view[0] in GONE or job.view[1] == "cancel":
            yield f"{job.attempt} unwinds", world.with_job(job, job._replace(phase="leaving", hand=None))
            return
        status, pending, strength = job.view
        if job.hand is not None:
            return
        if pending == "pause" and (status == "running" or strength == "release"):
            said = e.RunPaused(strength=Strength(strength or "hold"))
            phase = "leaving" if strength == "release" else "held"
            yield from self._say(world, job, said, phase, job.phase)
        elif status == "paused" and strength == "release":
            yield f"{job.attempt} lets go", world.with_job(job, job._replace(phase="leaving"))
        elif job.phase == "held" and job.view[:2] == QUIET:
            yield f"{job.attempt} goes on", world.with_job(job, job._replace(phase="working"))

    def _work(self, world: World, job: Job) -> Iterator[Move]:
        """The next item, the last word, or a limit of its own. It may know less than the log says."""
        rest = [key for key in self.bounds.items if key not in job.known]
        if job.view is not None and job.view[:2] == QUIET:
            if rest:
                yield from self._say(world, job, e.ItemStarted(key=rest[0], ask=True), "working", "working")
            if world.left.limits:
                said = e.RunPaused(actor="the limit", unasked=True)
                yield from self._say(world.spend("limits"), job, said, "held", "working")
        if job.view is not None and job.view[1] != "cancel":
            if not rest:
                yield from self._say(world, job, e.RunCompleted(), "leaving", "leaving")
            if world.left.failures:
                failed = e.RunFailed(message="it broke")
                yield from self._say(world.spend("failures"), job, failed, "leaving", "leaving")

    def _say(self, world: World, job: Job, body: e.Body, taken: str, refused: str) -> Iterator[Move]:
        """Append for a job; it learns the run's state from the answer."""
        self.doing = f"{job.attempt} says {body.type}"
        step = self.server.say(world.log, job.attempt, body)
        after = self._after(world, step, job.attempt)
        view = self.server.view(step.log, job.attempt)
        phase = {"done": taken, "refused": refused}.get(step.outcome, "leaving")
        hand, known = job.hand, job.known
        if step.outcome == "done" and isinstance(body, e.ItemStarted):
            hand = body.key
        elif isinstance(body, e.ItemFinished):
            hand, known = None, known | {body.key}
        new = job._replace(phase=phase, view=view, hand=hand, known=known)
        yield f"{job.attempt} says {body.type}: {step.outcome}", after.with_job(job, new)


def _told(step: Step) -> str:
    return " ".join(event.type for event in step.told) or step.outcome
