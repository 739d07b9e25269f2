"""All files of a run in one archive, and files that go by rule."""

from __future__ import annotations

import io
import resource
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest

from pilothouse.clock import later
from pilothouse.model import event as e
from pilothouse.sdk.kind import Keep
from pilothouse.web import artifacts
from pilothouse.web.archive import Member, packed
from tests.web.clients import Job, a_job, call
from tests.web.serving import COUNTING, Running, running
from tests.web.test_artifacts import DATA, folder, upload

RULES = (Keep("checkpoints/", newest=2, metric="loss"),)
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server whose kind keeps two checkpoints and the best."""
    kinds = {"counting": replace(COUNTING, keep=RULES)}
    with running(tmp_path_factory.mktemp("data"), kinds, lease_seconds=600) as server:
        yield server


@pytest.fixture
def job(server: Running) -> Job:
    """A run that has begun."""
    return a_job(server)


def names(api: httpx2.Client, job: Job, key: str = "artifacts") -> list[str]:
    """The names that a run's list tells."""
    return [file["name"] for file in api.get(f"{job.path}/artifacts").json()[key]]


def unpacked(data: bytes) -> dict[str, bytes]:
    """What an archive holds, every checksum looked at."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_all_files_come_in_one_archive(api: httpx2.Client, job: Job) -> None:
    upload(api, job, "model/weights.bin", DATA)
    upload(api, job, "log.txt", b"one\n")
    upload(api, job, "log.txt", b"two\n")

    answer = api.get(f"{job.path}/artifacts.zip")

    assert unpacked(answer.content) == {"model/weights.bin": DATA, "log.txt": b"two\n"}
    assert answer.headers["content-disposition"] == f'attachment; filename="{job.id}.zip"'
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert answer.headers["content-type"] == "application/zip"


def test_a_run_without_files_is_an_empty_archive(api: httpx2.Client, job: Job) -> None:
    assert unpacked(api.get(f"{job.path}/artifacts.zip").content) == {}


def test_a_file_that_has_gone_is_named_in_the_archive(
    api: httpx2.Client, server: Running, job: Job, tmp_path: Path
) -> None:
    upload(api, job, "a.txt", b"a")
    upload(api, job, "b.txt", b"b")
    upload(api, job, "secret.txt", b"c")
    (folder(server, job) / "a.txt").unlink()
    (tmp_path / "elsewhere").write_text("not yours")
    (folder(server, job) / "secret.txt").unlink()
    (folder(server, job) / "secret.txt").symlink_to(tmp_path / "elsewhere")

    found = unpacked(api.get(f"{job.path}/artifacts.zip").content)

    assert found.keys() == {"b.txt", "missing.txt"}
    assert found["missing.txt"].decode().splitlines()[1:] == ["a.txt", "secret.txt"]


def test_a_file_of_the_run_is_not_taken_for_the_list_of_those_that_have_gone(tmp_path: Path) -> None:
    (tmp_path / "missing.txt").write_bytes(b"of the run")

    found = unpacked(
        b"".join(
            packed([Member("missing.txt", tmp_path / "missing.txt", NOON), Member("gone.bin", None, NOON)])
        )
    )

    assert found["missing.txt"] == b"of the run"
    assert b"gone.bin" in found["missing.txt.txt"]


def test_the_server_does_not_stand_still_while_thousands_of_files_are_looked_up(
    api: httpx2.Client, job: Job, server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(api, job, "log.txt", b"one")
    beneath, threads = artifacts._beneath, set[threading.Thread]()
    monkeypatch.setattr(
        artifacts,
        "_beneath",
        lambda *given: threads.add(threading.current_thread()) or beneath(*given),  # type: ignore[func-returns-value]
    )

    assert unpacked(api.get(f"{job.path}/artifacts.zip").content) == {"log.txt": b"one"}
    assert threads.isdisjoint({call(server, thread_of_the_loop())})


async def thread_of_the_loop() -> threading.Thread:
    """The thread in which the server serves."""
    return threading.current_thread()


def test_an_archive_is_made_in_flat_memory(tmp_path: Path) -> None:
    with (tmp_path / "large.bin").open("wb") as file:
        file.truncate(400_000_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    size = sum(len(piece) for piece in packed([Member("large.bin", tmp_path / "large.bin", NOON)]))

    assert size > 400_000_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


def test_only_the_newest_and_the_best_checkpoints_stay(api: httpx2.Client, server: Running, job: Job) -> None:
    for step, loss in ((1, 0.9), (2, 0.1), (3, 0.5), (4, 0.4), (5, 0.3)):
        job.say(e.Metric(step=step, values={"loss": loss}))
        upload(api, job, f"checkpoints/step-{step}.pt", DATA)
    upload(api, job, "report.txt", b"kept")

    gone = api.get(f"{job.path}/artifacts/checkpoints/step-1.pt")

    kept = [f"checkpoints/step-{step}.pt" for step in (2, 4, 5)]
    assert names(api, job) == [*kept, "report.txt"]
    assert names(api, job, "removed") == ["checkpoints/step-1.pt", "checkpoints/step-3.pt"]
    assert sorted(path.name for path in (folder(server, job) / "checkpoints").iterdir()) == [
        "step-2.pt", "step-4.pt", "step-5.pt",
    ]  # fmt: skip
    assert gone.status_code == 404
    assert "the newest 2 and the best are kept" in gone.json()["error"]["message"]
    assert job.run.artifacts == 6


def test_a_file_that_was_removed_may_be_saved_again(api: httpx2.Client, job: Job) -> None:
    for step in (1, 2, 3):
        upload(api, job, f"checkpoints/step-{step}.pt", DATA)
    upload(api, job, "checkpoints/step-1.pt", b"again")

    assert names(api, job) == ["checkpoints/step-3.pt", "checkpoints/step-1.pt"]
    assert api.get(f"{job.path}/artifacts/checkpoints/step-1.pt").content == b"again"


def test_the_files_of_runs_that_ended_long_ago_go_when_the_settings_say_so(
    api: httpx2.Client, server: Running, job: Job
) -> None:
    upload(api, job, "model/weights.bin", DATA)
    going_on = a_job(server)
    upload(api, going_on, "model.bin", DATA)
    job.say(e.RunCompleted())
    files = server.server.context.files

    early = call(server, files.remove_old(30, later(29 * 86_400)))
    due = call(server, files.remove_old(30, later(31 * 86_400)))
    again = call(server, files.remove_old(30, later(31 * 86_400)))

    assert (early, [run.id for run in due], again) == ([], [job.id], [])
    assert names(api, job) == []
    assert names(api, going_on) == ["model.bin"]
    (removed,) = api.get(f"{job.path}/artifacts").json()["removed"]
    assert (removed["bytes"], removed["reason"]) == (len(DATA), "files are kept for 30 days")
    assert list(folder(server, job).glob("**/*.bin")) == []


def test_a_removal_follows_no_link(server: Running, job: Job, api: httpx2.Client, tmp_path: Path) -> None:
    upload(api, job, "model/weights.bin", DATA)
    (tmp_path / "weights.bin").write_bytes(b"not yours")
    (folder(server, job) / "model" / "weights.bin").unlink()
    (folder(server, job) / "model").rmdir()
    (folder(server, job) / "model").symlink_to(tmp_path)

    call(server, server.server.context.files.remove(job.id, ["model/weights.bin"], "a test"))

    assert (tmp_path / "weights.bin").read_bytes() == b"not yours"


def test_the_archive_is_not_taken_for_a_file(api: httpx2.Client, job: Job) -> None:
    upload(api, job, "artifacts.zip", b"a file of this name")

    assert api.get(f"{job.path}/artifacts/artifacts.zip").content == b"a file of this name"


@pytest.mark.parametrize("has_ended", [False, True])
def test_a_file_is_removed_by_hand_and_the_log_says_by_whom(
    api: httpx2.Client, server: Running, job: Job, has_ended: bool
) -> None:
    upload(api, job, "checkpoints/last.zip", DATA)
    upload(api, job, "report.txt", b"kept")
    if has_ended:
        job.say(e.RunCompleted())

    answers = [api.delete(f"{job.path}/artifacts/checkpoints/last.zip") for _ in range(2)]

    gone = api.get(f"{job.path}/artifacts/checkpoints/last.zip")
    (removed,) = api.get(f"{job.path}/artifacts").json()["removed"]
    events = api.get(f"{job.path}/events?types=artifact.removed").json()["events"]
    assert [answer.status_code for answer in answers] == [204, 204]
    assert (gone.status_code, names(api, job)) == (404, ["report.txt"])
    assert (removed["bytes"], removed["reason"]) == (len(DATA), f"deleted by {job.run.owner}")
    assert [event["data"]["name"] for event in events] == ["checkpoints/last.zip"]
    assert [file.name for file in folder(server, job).rglob("*")] == ["report.txt"]


@pytest.mark.parametrize(
    "name", ["other.txt", "%2e%2e/%2e%2e/%2e%2e/token", "..%2f..%2f..%2ftoken", "checkpoints"]
)
def test_what_is_no_file_of_the_run_cannot_be_removed(
    api: httpx2.Client, server: Running, job: Job, name: str
) -> None:
    upload(api, job, "checkpoints/last.zip", DATA)

    answer = api.send(
        httpx2.Request("DELETE", f"{server.url}{job.path}/artifacts/{name}", headers=api.headers)
    )

    assert answer.status_code in (404, 405)
    assert (server.data / "token").exists()
    assert names(api, job) == ["checkpoints/last.zip"]


def test_a_file_that_was_removed_by_hand_may_be_saved_again(api: httpx2.Client, job: Job) -> None:
    upload(api, job, "a.txt", b"old")
    api.delete(f"{job.path}/artifacts/a.txt")

    assert upload(api, job, "a.txt", b"new").status_code == 201
    assert api.get(f"{job.path}/artifacts/a.txt").content == b"new"
