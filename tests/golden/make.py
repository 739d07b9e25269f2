"""Write the golden logs: `python tests/golden/make.py`, then read the difference before you commit it.

Each log is told in Python and written as frames (`NAME.jsonl`), with the state
that the fold gives (`NAME.state.json`) and what the estimate says after every
event (`NAME.samples.json`). Python and the browser are both tested against them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pilothouse.model import event as e
from pilothouse.model.fold import active_seconds, fold
from pilothouse.model.progress import eta_seconds
from pilothouse.model.run import Control, Run, Strength

FOLDER = Path(__file__).parent
BEGIN = datetime(2026, 1, 31, 9, 30, 0, 125_000, tzinfo=UTC)


class Story:
    """A log in the making; `wait` moves its clock."""

    def __init__(self, run_id: str, kind: str, **queued: Any) -> None:
        self.run: Run | None = None
        self.frames: list[bytes] = []
        self.samples: list[list[float | int | None]] = []
        self._id = run_id
        self._time = BEGIN
        self.say(e.RunQueued(number=42, kind=kind, name=f"{kind}-golden", epoch="9f31c0de", **queued))

    def wait(self, seconds: float) -> Story:
        """Let time pass."""
        self._time += timedelta(milliseconds=round(seconds * 1000))
        return self

    def say(self, *bodies: e.Body) -> Story:
        """Append events at the present time."""
        time = self._time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        for body in bodies:
            event = e.Event(self._id, len(self.frames) + 1, time, body)
            self.run = run = fold(self.run, event)
            self.frames.append(event.frame())
            active = active_seconds(run, time)
            self.samples.append([event.seq, active, eta_seconds(run.progress, active)])
        return self

    def item(self, key: str, seconds: float, **more: Any) -> Story:
        """Do one item: start it, spend the time, finish it."""
        self.say(e.ItemStarted(key=key)).wait(seconds)
        return self.say(e.ItemFinished(key=key, seconds=seconds, **more))


def completed() -> Story:
    """A benchmark of two models in groups, with phases, metrics and every way to talk to the user."""
    story = Story("bench_1760790379_deacb1b0", "benchmark", params={"models": ["offline", "strict"]})
    story.wait(0.75).say(e.RunStarted(attempt=1, host="lab-1"))
    story.say(e.PhaseStarted(name="Tests", index=1, of=2))
    story.say(e.ProgressTold(total=180, groups={"offline": 90, "strict": 90}))
    for index in range(180):
        group = "offline" if index < 90 else "strict"
        seconds = 0.2 + index % 7 / 50 + (0.5 if group == "strict" else 0.0)
        ok = index % 17 != 3
        story.item(
            f"{group} × case-{index:03d}",
            round(seconds, 3),
            ok=ok,
            error=None if ok else "the answer is not JSON",
            group=group,
            data={"model": group, "verdict": "safe" if index % 2 else "unsafe", "score": index / 180},
        )
        if index % 45 == 44:
            story.say(e.Metric(step=index + 1, values={"accuracy": round(0.7 + index / 1000, 3)}))
            story.say(e.Metric(step=index + 5, values={"system/cpu_percent": 50.5}))
    story.say(e.PhaseFinished(name="Tests", index=1, of=2), e.PhaseStarted(name="Report", index=2, of=2))
    story.wait(0.004).say(
        e.Log(text="writing the report", source="stdout"),
        e.Note(feed="metrics", text="accuracy 0.879"),
        e.ArtifactSaved(name="report.csv", bytes=18_211, sha256="ab" * 32),
        e.PhaseFinished(name="Report", index=2, of=2),
    )
    return story.wait(0.1).say(e.RunCompleted(message="180 of 180"))


def paused() -> Story:
    """Every way into and out of a pause: withdrawn, held, released, unclean, and while queued."""
    story = Story("gen_1760790379_00000001", "generation", owner="ada", priority=3)
    story.wait(1).say(e.RunPaused(strength=Strength.RELEASE, actor="ada", reason="too early"))
    story.wait(60).say(e.RunResumed(actor="ben", reason="now"))
    story.wait(0.5).say(e.RunStarted(attempt=1, host="lab-1"), e.ProgressTold(total=40))
    for index in range(8):
        story.item(f"sample-{index}", 1.5)
    story.say(e.ItemStarted(key="sample-8", label="Sample 9", ask=True))
    story.wait(0.3).say(e.ControlRequested(control=Control.PAUSE, actor="ada", reason="lunch"))
    story.wait(0.3).say(e.ControlWithdrawn(actor="ada"))
    story.wait(0.4).say(e.ItemFinished(key="sample-8", seconds=1.0))
    until = "2026-01-31T10:30:00.000Z"
    story.wait(0.1).say(e.ControlRequested(control=Control.PAUSE, actor="ada", reason="lunch", until=until))
    story.wait(0.1).say(e.RunPaused())
    story.wait(3600).say(e.RunResumed(actor="timer", reason="its time has come"))
    for index in range(9, 14):
        story.item(f"sample-{index}", 0.75)
    story.say(e.ControlRequested(control=Control.PAUSE, actor="ada", strength=Strength.RELEASE))
    story.wait(0.2).say(e.StateSaved(state={"next": 14, "seed": 7}))
    story.say(e.RunPaused(strength=Strength.RELEASE))
    story.wait(7200).say(e.RunResumed(actor="ada"))
    story.wait(1).say(e.RunStarted(attempt=2, host="lab-2"))
    for index in range(14, 20):
        story.item(f"sample-{index}", 0.5)
    story.say(e.ControlRequested(control=Control.PAUSE, actor="ada"))
    story.wait(15).say(e.RunInterrupted(reason="the job stopped answering", in_flight=("sample-20",)))
    story.say(e.RunPaused(strength=Strength.RELEASE, actor="ada", unclean=True, until=until))
    story.wait(60).say(e.RunResumed(actor="ben"))
    story.wait(1).say(e.RunStarted(attempt=3, host="lab-2"))
    story.item("sample-20", 0.5, possible_duplicate=True)
    story.say(e.ControlRequested(control=Control.PAUSE, actor="ada", reason="dinner", until=until))
    story.wait(0.1).say(e.RunPaused())
    later = "2026-01-31T12:30:00.000Z"
    story.wait(600).say(
        e.ControlRequested(control=Control.PAUSE, actor="ada", strength=Strength.RELEASE, until=later)
    )
    story.say(e.RunResumed(actor="ben"))
    story.say(e.ControlRequested(control=Control.PAUSE, actor="ada", reason="dinner", until=later))
    story.say(e.ControlRequested(control=Control.PAUSE, actor="ben"))
    story.wait(0.1).say(e.RunPaused())
    story.wait(600).say(e.ControlRequested(control=Control.PAUSE, actor="timer", strength=Strength.RELEASE))
    return story.wait(0.2).say(e.RunPaused(strength=Strength.RELEASE))


def cancelled() -> Story:
    """A cancel that outranks a pause, that is repeated with force, and of a job that will not die."""
    story = Story("auto_1760790379_00000002", "autotune", tags=("nightly", "größe"))
    story.wait(0.1).say(e.RunStarted(attempt=1))
    story.wait(0.1).say(e.ItemStarted(key="experiment-1", label="Experiment 1: η = 0.1 🚀"))
    story.wait(2).say(e.ControlRequested(control=Control.PAUSE, actor="ada"))
    story.wait(1).say(e.ControlRequested(control=Control.CANCEL, actor="ada", reason="wrong data"))
    story.wait(5).say(e.RunCancelOverdue(survivors=2))
    story.say(e.ControlRequested(control=Control.CANCEL, actor="ada", force=True, deadline="1.5 s"))
    story.wait(0.5).say(e.ItemFinished(key="experiment-1", ok=False, seconds=8.6, error="interrupted"))
    story.wait(0.25).say(e.RunCancelled(by="ada", confirmed_dead=True))
    story.wait(1).say(e.ArtifactSaved(name="late.txt", bytes=0, sha256="00" * 32))
    story.wait(1).say(e.ItemJudged(key="experiment-1", verdict="flag", actor="ben"))
    told = {"channel": "e-mail", "address": "ada@lab.example", "round": 1, "by": "5f0c2a11"}
    story.wait(1).say(e.RunNotified(**told, state="sending"))
    return story.wait(2).say(e.RunNotified(**told, state="failed", detail="The mail server is away."))


def failed() -> Story:
    """A job that hangs, recovers, dies, comes back and dies for good, with numbers that are none."""
    story = Story("train_1760790379_00000003", "training", params={"lr": 0.1})
    story.wait(2).say(e.RunStarted(attempt=1, host="lab-1"), e.ProgressTold(total=1000, done=0))
    for step in range(1, 6):
        story.wait(3.2).say(e.Metric(step=step * 10, values={"loss": 2 / step, "lr": 0.1}))
        story.say(e.ProgressTold(done=step * 10))
    story.wait(120).say(e.RunStuck(seconds=120.5, cause="waiting for the data loader"))
    story.wait(30).say(e.RunRecovered())
    bad = e.parse_body("metric", {"step": 60, "values": {"loss": float("nan"), "max": float("inf")}})
    story.wait(1).say(bad, e.GuardTripped(rule="loss_is_finite", value="NaN", text="The loss is NaN"))
    story.wait(16).say(e.RunInterrupted(reason="signal 9", in_flight=("step-61",), wait_seconds=2.0))
    story.wait(4).say(e.RunStarted(attempt=2, host="lab-2"), e.ProgressTold(done=40, total=900))
    story.wait(9).say(e.RunStuck(seconds=60), e.GuardTripped(rule="max_hours"))
    story.wait(1)
    return story.say(
        e.RunFailed(
            reason="crash",
            message="CUDA out of memory",
            hint="Halve the batch size.",
            where="job.py:88",
            exit_code=1,
            tail="Traceback …\nRuntimeError: CUDA out of memory",
        )
    )


def retried() -> Story:
    """A retry: reused results count as done, and the estimate looks at the fresh ones alone."""
    story = Story("bench_1760790379_00000004", "benchmark", retry_of="bench_1760790379_deacb1b0")
    for index in range(60):
        story.say(e.ItemFinished(key=f"case-{index:03d}", seconds=0.4, reused=True, group="offline"))
    story.wait(3).say(e.RunStarted(attempt=1, host="lab-1"))
    story.say(e.ProgressTold(total=150, groups={"offline": 100, "strict": 50}))
    for index in range(60, 110):
        story.item(f"case-{index:03d}", 0.3, ok=index % 9 != 0, group="offline")
    return story


def edited() -> Story:
    """A run that is renamed, retagged and given other params, and counts without items."""
    story = Story("script_1760790379_00000005", "script", params={"target": 0.9, "keep": True})
    story.wait(5).say(e.RunEdited(actor="ada", name='näme with "quotes" \\ and 日本語'))
    story.say(e.ParamsChanged(actor="ada", values={"target": 0.95}))
    story.wait(5).say(e.RunStarted(attempt=1, host="lab-1"))
    story.wait(2).say(e.ProgressTold(done=3), e.ProgressTold(done=2), e.ProgressTold(total=2))
    story.wait(2).say(e.ProgressTold(done=6, total=10), e.ProgressTold(groups={"a": 4, "b": 6}))
    story.wait(2).say(e.ProgressTold(groups={"a": 5}))
    story.say(e.RunEdited(actor="ada", tags=("kept", "ünï")), e.RunEdited(actor="ben", tags=()))
    story.say(e.ParamsChanged(actor="ben", values={"keep": False, "extra": [1, None, {"x": "y"}]}))
    story.say(
        e.ArtifactRemoved(name="checkpoints/step-10.pt", reason="of checkpoints/ the newest 1 are kept")
    )
    story.say(e.Log(level="warning", text="line\twith\u2028odd\u0000characters"), e.Metric(step=0, values={}))
    return story.wait(1).say(e.Metric(step=1, values={"none": None, "big": 1e300, "int": 3}))


STORIES: tuple[Callable[[], Story], ...] = (completed, paused, cancelled, failed, retried, edited)


def main() -> None:
    """Write every story."""
    for tell in STORIES:
        story, name = tell(), tell.__name__
        assert story.run is not None
        state = json.dumps(story.run.snapshot(), indent=2, ensure_ascii=False)
        samples = ",\n".join(json.dumps(sample) for sample in story.samples)
        (FOLDER / f"{name}.jsonl").write_bytes(b"".join(frame + b"\n" for frame in story.frames))
        (FOLDER / f"{name}.state.json").write_text(state + "\n", encoding="utf-8")
        (FOLDER / f"{name}.samples.json").write_text(f"[\n{samples}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
