"""`ph.run` when the script is killed, the record is lost, or there is no server at all."""

from __future__ import annotations

import signal
from collections import Counter
from pathlib import Path

import pytest

from pilothouse.errors import Invalid
from pilothouse.sdk import byhand
from pilothouse.sdk.spool import Spool
from pilothouse.sdk.wire import Answer, Wire
from tests.e2e.stack import until
from tests.sdk.scripts import TRACKS, Start, ask, door, finish, ledger, reach, run_of, start, up
from tests.web.serving import Running

__all__ = ["start", "up"]


def test_a_paused_script_starts_no_item_until_it_is_resumed(
    up: Running, start: Start, tmp_path: Path
) -> None:
    script = start(TRACKS, "200", "0.01")
    until(lambda: len(ledger(tmp_path)) > 3, "some items")
    run = run_of(up, script)

    ask(up, run["id"], "pause")
    paused = reach(up, run["id"], lambda now: now["status"] == "paused", "paused")
    done_at_pause = ledger(tmp_path)
    beaten = reach(up, run["id"], lambda now: now["status"] == "paused", "still paused")
    ask(up, run["id"], "resume")
    code, _, _ = finish(script)

    assert paused["strength"] == "hold"
    assert len(done_at_pause) == beaten["progress"]["done"]
    assert code == 0
    assert ledger(tmp_path) == list(range(200))


def test_a_killed_script_is_told_as_lost_and_a_new_run_reuses_what_it_finished(
    up: Running, start: Start, tmp_path: Path
) -> None:
    script = start(TRACKS, "60", "0.02")
    until(lambda: len(ledger(tmp_path)) > 10, "some items")
    run = reach(up, run_of(up, script)["id"], lambda now: now["progress"]["done"] > 5, "stored items")

    script.kill()
    lost = reach(up, run["id"], lambda now: now["status"] == "failed", "the end of the lease")
    with up.client() as client:
        items = client.get(f"/api/runs/{run['id']}/items", params={"state": "done"}).json()["items"]
    keys = [int(item["key"]) for item in items]
    again = start(TRACKS, "60", "0", "@last")
    code, _, _ = finish(again)

    renewed = run_of(up, again)
    assert lost["failure"]["reason"] == "worker_lost"
    assert 'resume="@last"' in lost["failure"]["hint"]
    assert (code, renewed["status"], renewed["retry_of"]) == (0, "completed", run["id"])
    assert renewed["progress"]["reused"] == lost["progress"]["done"]
    assert renewed["progress"]["done"] == 60
    executed = Counter(ledger(tmp_path))
    assert set(executed) == set(range(60))
    assert [executed[key] for key in keys] == [1] * len(keys)


def test_a_new_run_reuses_what_a_killed_script_could_not_send(
    up: Running, start: Start, tmp_path: Path
) -> None:
    with door(up.url) as (url, shut):
        script = start(TRACKS.replace("my eval", "cut off"), "5000", "0.01", PILOTHOUSE_SERVER=url)
        run = reach(up, run_of(up, script)["id"], lambda now: now["progress"]["done"] > 5, "stored items")
        shut()
        seen = len(ledger(tmp_path))
        until(lambda: len(ledger(tmp_path)) > seen + 50, "items that nobody hears of")
        script.kill()
        script.wait()
    lost = reach(up, run["id"], lambda now: now["status"] == "failed", "the end of the lease")
    executed = ledger(tmp_path)

    again = start(TRACKS.replace("my eval", "cut off"), str(len(executed) + 5), "0", "@last")
    code, _, _ = finish(again)

    renewed = run_of(up, again)
    assert lost["progress"]["done"] < len(executed) - 40
    assert (code, renewed["progress"]["done"]) == (0, len(executed) + 5)
    repeated = Counter(ledger(tmp_path)) - Counter(range(len(executed) + 5))
    assert sum(repeated.values()) <= 2, "only what was in hand, and what was not yet written down"


def test_a_new_run_takes_over_what_a_later_attempt_of_the_earlier_one_could_not_send(
    up: Running, start: Start, tmp_path: Path
) -> None:
    program = TRACKS.replace("my eval", "hosted")
    earlier = start(program, "3")
    finish(earlier)
    spool = Spool(up.data / "runs" / run_of(up, earlier)["id"], attempt=2)
    spool.add([b'{"type":"item.finished","data":{"key":"3","seconds":1}}'])
    spool.close()

    again = start(program, "4", "0", "@last")
    code, _, _ = finish(again)

    assert (code, run_of(up, again)["progress"]["done"]) == (0, 4)
    assert ledger(tmp_path) == [0, 1, 2]


def test_a_resume_without_an_earlier_run_begins_at_the_beginning(up: Running, start: Start) -> None:
    program = TRACKS.replace("my eval", "never before")

    code, _, error = finish(start(program, "3", "0", "@last"))

    assert code == 0
    assert "no earlier run named 'never before'" in error


def test_a_resume_of_a_run_that_does_not_exist_is_an_error(up: Running, start: Start, tmp_path: Path) -> None:
    code, _, error = finish(start(TRACKS, "3", "0", "run_nothing"))

    assert code == 1
    assert "run_nothing" in error
    assert ledger(tmp_path) == []


def test_without_a_server_the_script_goes_on_and_says_so_in_one_line(start: Start, tmp_path: Path) -> None:
    script = start(TRACKS, "5", PILOTHOUSE_SERVER="", PILOTHOUSE_DATA=str(tmp_path / "nothing"))

    code, out, error = finish(script)

    assert (code, out) == (0, "went on\n")
    assert "No Pilothouse server at http://127.0.0.1:8420" in error
    assert "'my eval' runs unrecorded" in error
    assert len(error.splitlines()) == 1
    assert ledger(tmp_path) == list(range(5))


def test_a_script_may_insist_on_a_server(start: Start, tmp_path: Path) -> None:
    nowhere = {"PILOTHOUSE_SERVER": "", "PILOTHOUSE_DATA": str(tmp_path / "nothing")}

    code, _, error = finish(start(TRACKS, "5", **nowhere, PILOTHOUSE_REQUIRED="1"))

    assert code == 1
    assert "Unavailable" in error
    assert ledger(tmp_path) == []


def test_a_script_whose_folder_cannot_be_made_is_recorded_all_the_same(
    up: Running, start: Start, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    token = (up.data / "token").read_text().strip()

    script = start(TRACKS, "5", PILOTHOUSE_DATA=str(tmp_path / "file"), PILOTHOUSE_TOKEN=token)
    code, _, error = finish(script)

    run = run_of(up, script)
    assert (code, run["status"], run["progress"]["done"]) == (0, "completed", 5), error
    assert "its own folder cannot be made: [Errno 20]" in error


def test_a_script_does_not_wait_for_ever_for_a_server_that_takes_its_last_results(
    up: Running, start: Start, tmp_path: Path
) -> None:
    program = "import pilothouse.sdk.byhand as byhand\nbyhand.QUIET_SECONDS = byhand.FLUSH_SECONDS = 0.2\n"
    with door(up.url) as (url, shut):
        script = start(
            program + TRACKS.replace("my eval", "left alone"), "100", "0.01", PILOTHOUSE_SERVER=url
        )
        run = reach(up, run_of(up, script)["id"], lambda now: now["progress"]["done"] > 5, "stored items")
        shut()
        code, out, error = finish(script)

    assert (code, out) == (0, "went on\n")
    (said,) = [line for line in error.splitlines() if "has not come back" in line]
    assert run["id"] in said
    assert list((up.data / "runs" / run["id"]).glob("spool-*.jsonl"))


def test_loops_that_were_left_are_not_kept_until_the_end_of_the_script(start: Start) -> None:
    program = """
import gc
import pilothouse as ph
from pilothouse.sdk.handle import RunHandle
for _ in range(4):
    for n in ph.track(range(3), "left"): break
gc.collect()
print(sum(isinstance(each, RunHandle) for each in gc.get_objects()))
"""

    code, out, _ = finish(start(program, PILOTHOUSE_SERVER="http://127.0.0.1:9"))

    assert (code, out) == (0, "1\n")


def test_every_part_of_the_handle_works_unrecorded(start: Start, tmp_path: Path) -> None:
    program = """
import pilothouse as ph
with ph.run("all of it") as run:
    for done in run.map(lambda n: {"n": n}, range(4), key=str, concurrency=2):
        run.metric(n=done.data["n"])
    with run.phase("One", 1, of=1):
        run.log("text"), run.note("file", "text"), run.guard("rule", "text"), run.total(4)
    (run.folder / "file.txt").write_text("text")
    run.artifact(run.folder / "file.txt")
    run.save_state({"a": 1}), run.item("x"), run.safepoint()
    print(run.finished(), run.saved_state, run.attempt)
"""

    code, out, _ = finish(start(program, PILOTHOUSE_SERVER="http://127.0.0.1:9"))

    assert (code, out) == (0, "[] {'a': 1} 1\n")


@pytest.mark.parametrize(
    ("resume", "seconds"), [(None, byhand.ANSWER_SECONDS), ("old", byhand.TAKE_OVER_SECONDS)]
)
def test_a_server_that_takes_over_many_results_is_not_given_up(
    monkeypatch: pytest.MonkeyPatch, resume: str | None, seconds: float
) -> None:
    waited: list[float] = []

    def call(wire: Wire, method: str, *_: object) -> Answer:
        if method == "POST":
            waited.append(wire._timeout)
            raise Invalid("enough")
        return Answer(200, b'{"id": "script_1"}')

    monkeypatch.setattr(byhand, "call", call)
    with pytest.raises(Invalid, match="enough"):
        byhand.ByHand("eval", {}, (), resume).open()

    assert waited == [seconds]


def test_a_script_that_was_given_up_goes_on_unrecorded(up: Running, start: Start, tmp_path: Path) -> None:
    script = start(TRACKS, "60", "0.02")
    until(lambda: len(ledger(tmp_path)) > 3, "some items")
    run = run_of(up, script)

    script.send_signal(signal.SIGSTOP)
    reach(up, run["id"], lambda now: now["status"] == "failed", "the end of the lease")
    script.send_signal(signal.SIGCONT)
    code, out, error = finish(script)

    assert (code, out) == (0, "went on\n")
    assert "goes on unrecorded: its run has ended (failed)" in error
    assert ledger(tmp_path) == list(range(60))
