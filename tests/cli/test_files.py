"""Files taken along by the command line: continued, checked, and never written elsewhere."""

from __future__ import annotations

import hashlib
import io
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from typer.testing import CliRunner, Result

from pilothouse.cli import files
from pilothouse.cli.client import NO_SUCH_RUN, NOT_POSSIBLE, Client, CliError
from pilothouse.cli.main import app
from tests.web.clients import Job, a_job
from tests.web.serving import Running, running
from tests.web.test_artifacts import upload

DATA = bytes(range(256)) * 8_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server of its own."""
    with running(tmp_path_factory.mktemp("data"), lease_seconds=600) as server:
        yield server


@pytest.fixture
def api(server: Running) -> Iterator[httpx2.Client]:
    """A client with the token."""
    with server.client() as client:
        yield client


@pytest.fixture
def client(server: Running) -> Iterator[Client]:
    """The command line's view of it."""
    client = Client(server.url, server.data)
    yield client
    client.close()


@pytest.fixture
def breaking(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection breaks after every piece of the first megabyte."""
    pieces = files._pieces

    def breaking(client: Client, run_id: str, name: str, start: int) -> Iterator[bytes]:
        if start < 1_000_000:
            yield next(pieces(client, run_id, name, start))
            raise ConnectionResetError
        yield from pieces(client, run_id, name, start)

    monkeypatch.setattr(files, "REST_SECONDS", 0.0)
    monkeypatch.setattr(files, "_pieces", breaking)


@pytest.fixture
def job(server: Running, api: httpx2.Client) -> Job:
    """A run with a file."""
    job = a_job(server)
    upload(api, job, "model/weights.bin", DATA)
    return job


def take(client: Client, job: Job, target: Path) -> None:
    """Download its file."""
    (file,) = files._listed(client, job.id)["artifacts"]
    files._take(client, job.id, file, target)


def test_a_file_is_downloaded_whole(client: Client, job: Job, tmp_path: Path) -> None:
    take(client, job, tmp_path / "deep" / "weights.bin")

    assert (tmp_path / "deep" / "weights.bin").read_bytes() == DATA
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["weights.bin"]


def test_a_half_done_download_is_continued_and_not_begun_anew(
    client: Client, job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = hashlib.sha256(DATA).hexdigest()
    (tmp_path / f"weights.bin.{digest[:8]}.part").write_bytes(DATA[:1_000_000])
    starts: list[int] = []
    pieces = files._pieces
    monkeypatch.setattr(
        files,
        "_pieces",
        lambda *given: starts.append(given[3]) or pieces(*given),  # type: ignore[func-returns-value]
    )

    take(client, job, tmp_path / "weights.bin")

    assert starts == [1_000_000]
    assert (tmp_path / "weights.bin").read_bytes() == DATA


@pytest.mark.usefixtures("breaking")
def test_a_connection_that_breaks_is_taken_up_again(client: Client, job: Job, tmp_path: Path) -> None:
    take(client, job, tmp_path / "weights.bin")

    assert (tmp_path / "weights.bin").read_bytes() == DATA


@pytest.mark.usefixtures("breaking")
def test_what_goes_to_stdout_is_taken_up_again_and_checked_too(
    client: Client, api: httpx2.Client, job: Job
) -> None:
    (file,) = files._listed(client, job.id)["artifacts"]
    files._tell(client, job.id, file, said := io.BytesIO())
    upload(api, job, "model/weights.bin", b"x" * len(DATA))

    with pytest.raises(CliError, match="changed on its way"):
        files._tell(client, job.id, file, io.BytesIO())

    assert said.getvalue() == DATA


def test_what_arrives_otherwise_than_listed_is_thrown_away(
    client: Client, api: httpx2.Client, job: Job, tmp_path: Path
) -> None:
    (file,) = files._listed(client, job.id)["artifacts"]
    upload(api, job, "model/weights.bin", b"x" * len(DATA))

    with pytest.raises(CliError, match="changed on its way"):
        files._take(client, job.id, file, tmp_path / "weights.bin")

    assert list(tmp_path.iterdir()) == []


def download(server: Running, *words: str) -> Result:
    """What the command answers."""
    return CliRunner().invoke(app, ["--server", server.url, "--data", str(server.data), "download", *words])


def test_a_file_that_is_there_is_not_fetched_again(server: Running, job: Job, tmp_path: Path) -> None:
    local = tmp_path / "weights.bin"
    local.write_bytes(DATA)
    written = local.stat().st_mtime_ns

    answer = download(server, job.id, "model/weights.bin", "-o", str(tmp_path))

    assert answer.exit_code == 0
    assert local.stat().st_mtime_ns == written


def test_a_local_file_of_the_same_name_is_kept(server: Running, job: Job, tmp_path: Path) -> None:
    local = tmp_path / "weights.bin"
    local.write_bytes(b"weeks of work")

    refused = download(server, job.id, "model/weights.bin", "-o", str(tmp_path))
    kept = local.read_bytes()
    forced = download(server, job.id, "model/weights.bin", "-o", str(tmp_path), "--force")

    assert isinstance(refused.exception, CliError)
    assert refused.exception.exit_code == NOT_POSSIBLE
    assert refused.exception.lines == (
        f"{local} is there already and is another file.",
        "Elsewhere:   -o FOLDER",
        "Replace it:  --force",
    )
    assert kept == b"weeks of work"
    assert forced.exit_code == 0
    assert local.read_bytes() == DATA


def test_nothing_is_fetched_when_one_of_several_files_would_replace_another(
    server: Running, api: httpx2.Client, job: Job, tmp_path: Path
) -> None:
    upload(api, job, "z.txt", b"new")
    (tmp_path / "z.txt").write_bytes(b"old")

    refused = download(server, job.id, "-o", str(tmp_path))

    assert isinstance(refused.exception, CliError)
    assert [path.name for path in tmp_path.iterdir()] == ["z.txt"]


def test_not_even_force_replaces_a_folder(server: Running, job: Job, tmp_path: Path) -> None:
    (tmp_path / "weights.bin").mkdir()

    refused = download(server, job.id, "model/weights.bin", "-o", str(tmp_path), "--force")

    assert isinstance(refused.exception, CliError)
    assert "is a folder" in refused.exception.lines[0]


def test_an_unknown_file_says_so(client: Client, job: Job) -> None:
    with pytest.raises(CliError) as caught:
        list(files._pieces(client, job.id, "nothing.bin", 0))

    assert caught.value.exit_code == NO_SUCH_RUN


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../../x", "a//b", "c\\d", "."])
def test_no_name_leads_elsewhere(name: str) -> None:
    with pytest.raises(CliError):
        files._target("run_1", name, None, is_one=False)


def test_all_files_go_to_a_folder_named_after_the_run() -> None:
    assert files._target("run_1", "model/a.bin", None, is_one=False) == Path("run_1/model/a.bin")
    assert files._target("run_1", "model/a.bin", None, is_one=True) == Path("a.bin")
    assert files._target("run_1", "model/a.bin", Path("b.bin"), is_one=True) == Path("b.bin")


def test_a_full_disk_is_not_taken_for_a_server_that_is_away(
    client: Client, job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "REST_SECONDS", 0.0)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, limit[1]))
    try:
        with pytest.raises(CliError) as caught:
            take(client, job, tmp_path / "weights.bin")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, handler)

    assert str(caught.value) == f"{tmp_path / 'weights.bin'}: File too large"
