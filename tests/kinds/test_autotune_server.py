"""Servers in processes: their argv, their failures, and that nothing of them is left."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import groupby
from pathlib import Path
from typing import Any

import psutil
import pytest

from pilothouse.kinds.autotune import server as servers
from pilothouse.kinds.autotune.backend import LiveBackend
from pilothouse.kinds.autotune.command import argv, variables
from pilothouse.kinds.autotune.measurement import Level, Sample, numbers
from pilothouse.kinds.autotune.params import Params
from pilothouse.kinds.autotune.server import ExperimentFailed, Server, free_port, tail, wait_until_healthy
from pilothouse.kinds.autotune.space import Point

FAMILY = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if len(sys.argv) < 3:
    more = ["x", "y"][: len(sys.argv)]
    subprocess.Popen([sys.executable, __file__, *more], start_new_session=len(sys.argv) == 1)
with open(os.path.join(os.path.dirname(__file__), "pids"), "a") as pids:
    pids.write(f"{os.getpid()}\\n")
time.sleep(3600)
"""
DIES_UNDER_LOAD = """
import os, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class H(BaseHTTPRequestHandler):
    count = 0
    def log_message(self, *_): pass
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def do_POST(self):
        H.count += 1
        if H.count > 3:
            print("CUDA out of memory", flush=True)
            os._exit(3)
        self.send_response(200); self.end_headers()
        self.wfile.write(b'data: {"choices": [{"delta": {"content": "a"}}]}\\n\\ndata: [DONE]\\n\\n')
print("loading", flush=True)
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), H).serve_forever()
"""


class Watch:
    """Notes the phases."""

    def __init__(self) -> None:
        self.phases: list[str] = []

    def phase(self, name: str) -> None:
        self.phases.append(name)

    def look(self, levels: list[Level], concurrency: int, samples: list[Sample]) -> None:
        """Nothing is hopeless."""

    def check(self) -> None:
        """There is time."""


def params(**more: Any) -> Params:
    load = {"concurrencies": [1, 2], "requests": 4, "warmup": 1, "max_tokens": 8}
    return Params.model_validate({"space": [{"name": "order", "values": [1, 3]}], "load": load, **more})


def measure(checked: Params, folder: Path, point: Point | None = None) -> list[Level]:
    return LiveBackend(checked, folder).measure(1, point or {"order": 1}, Watch())


def command(*words: str, **target: Any) -> Params:
    return params(target={"server": "command", "command": list(words), "model": "m", **target})


def failure(checked: Params, folder: Path) -> ExperimentFailed:
    with pytest.raises(ExperimentFailed) as failed:
        measure(checked, folder)
    assert [child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE] == []
    return failed.value


# The words of a command


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (
            {"server": "vllm", "model": "org/m", "flags": {"dtype": "float16"}},
            "serve org/m --host 127.0.0.1 --port 7 --dtype float16 --max-num-seqs 64 --no-enable-prefix-caching",
        ),
        (
            {"server": "sglang", "model": "org/m"},
            "-m sglang.launch_server --model-path org/m --host 127.0.0.1 --port 7 --max-num-seqs 64",
        ),
        (
            {"server": "transformers", "model": "/m", "command": ["hf", "serve"]},
            "serve /m --host 127.0.0.1 --port 7 --max-num-seqs 64 --no-enable-prefix-caching",
        ),
        (
            {"server": "offline"},
            "-m pilothouse.llm.offline --port 7 --ms-per-token 0 --max-num-seqs 64",
        ),
        (
            {"server": "command", "command": ["s", "-p{port}", "{max_num_seqs}", "{a:{port}}", "{x}"]},
            "-p7 64 {a:7} {x}",
        ),
        (
            {"server": "command", "command": ["s", "{port}"], "flags": {"v": True}},
            "7 --v --max_num_seqs 64",
        ),
    ],
)
def test_each_server_is_told_its_settings_in_its_own_words(target: dict[str, Any], words: str) -> None:
    space = [
        {"name": "max_num_seqs", "values": [64, 128]},
        {"name": "enable_prefix_caching", "values": [True, False]},
        {"name": "OMP_NUM_THREADS", "values": [1, 2], "apply": "environment"},
    ]
    checked = params(target=target, space=space)
    point: Point = {"max_num_seqs": 64, "enable_prefix_caching": False, "OMP_NUM_THREADS": 2}

    assert argv(checked.target, checked.space, point, 7)[1:] == words.split()
    assert variables(checked.target, checked.space, point) == {"OMP_NUM_THREADS": "2"}


def test_no_setting_can_become_a_second_word() -> None:
    checked = params(space=[{"name": "order", "values": ["1; rm -rf /", "$(x)"]}])

    words = argv(checked.target, checked.space, {"order": "1; rm -rf /"}, 7)

    assert words[-2:] == ["--order", "1; rm -rf /"]


# A real server


def test_the_offline_server_is_started_measured_and_stopped(tmp_path: Path) -> None:
    backend, watch = LiveBackend(params(), tmp_path), Watch()

    levels = backend.measure(3, {"order": 3}, watch)

    found = numbers(levels)
    assert watch.phases == ["Deploy", "Warm-up", "Benchmark"]
    assert [(level.concurrency, len(level.samples)) for level in levels] == [(1, 4), (2, 4)]
    assert (found["errors"], found["tokens_estimated"]) == (0, False)
    assert found["tokens"] > 8
    assert "Offline model at" in tail(tmp_path / "servers" / "00003.log")
    assert [child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE] == []


def test_a_running_server_takes_its_settings_by_a_call(tmp_path: Path) -> None:
    settings: list[bytes] = []

    class Reconfigures(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/settings":
                settings.append(body)
            self.send_response(200 if b'"order":9' not in body else 400)
            self.end_headers()
            if self.path != "/settings":
                self.wfile.write(b'data: {"choices": [{"delta": {"content": "a"}}]}\n\ndata: [DONE]\n\n')

    with ThreadingHTTPServer(("127.0.0.1", 0), Reconfigures) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        root = f"http://127.0.0.1:{server.server_address[1]}"
        target = {
            "server": "url",
            "base_url": f"{root}/v1",
            "reconfigure_url": f"{root}/settings",
            "model": "m",
        }
        checked = params(target=target, space=[{"name": "order", "values": [1, 9]}])
        levels = measure(checked, tmp_path)
        with pytest.raises(ExperimentFailed, match="refused the settings: HTTP 400"):
            measure(checked, tmp_path, {"order": 9})
        server.shutdown()

    assert settings[0] == b'{"order":1}'
    assert numbers(levels)["tokens_estimated"] is True


# Failures are data


def test_a_command_that_does_not_exist_is_named(tmp_path: Path) -> None:
    assert (
        failure(command("no-such-server", "{port}"), tmp_path).reason
        == "There is no command 'no-such-server'."
    )


def test_a_file_that_cannot_be_executed_is_named(tmp_path: Path) -> None:
    (tmp_path / "server").write_text("x")

    assert "cannot be started: " in failure(command(str(tmp_path / "server")), tmp_path).reason


def test_a_server_that_ends_before_it_is_healthy_says_its_last_lines(tmp_path: Path) -> None:
    script = "print('\\n'.join(map(str, range(100)))); raise SystemExit(3)"

    failed = failure(command(sys.executable, "-c", script), tmp_path)

    assert failed.reason == "The server ended with exit code 3."
    assert failed.output.splitlines()[0::19] == ["80", "99"]


def test_a_server_that_is_killed_names_the_signal(tmp_path: Path) -> None:
    failed = failure(command("sh", "-c", "kill -9 $$"), tmp_path)

    assert failed.reason == "The server was ended by signal 9 (SIGKILL)."


def test_a_server_that_never_becomes_healthy_is_stopped_after_its_time(tmp_path: Path) -> None:
    waits = "import time; print('loading weights', flush=True); time.sleep(3600)"

    failed = failure(command(sys.executable, "-c", waits, health_seconds=1), tmp_path)

    assert failed.reason.startswith(
        "The server was not healthy within 1 s: nobody answered at http://127.0.0.1:"
    )
    assert failed.output == "loading weights"


def test_a_server_that_dies_under_load_says_so_with_its_last_lines(tmp_path: Path) -> None:
    (tmp_path / "dies.py").write_text(DIES_UNDER_LOAD)

    failed = failure(command(sys.executable, str(tmp_path / "dies.py"), "{port}"), tmp_path)

    assert failed.reason == "The server ended with exit code 3 under load."
    assert failed.output == "loading\nCUDA out of memory"


def test_a_server_that_answers_no_request_fails_in_the_warm_up(tmp_path: Path) -> None:
    (tmp_path / "health").write_text("ok")

    serves = f"exec {sys.executable} -m http.server --bind 127.0.0.1 {{port}} # {{order}}"

    failed = failure(command("sh", "-c", serves), tmp_path)

    assert failed.reason.startswith("No warm-up request was answered: HTTP 501")


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    failed = failure(params(target={"server": "offline", "api_key_env": "NO_SUCH_KEY"}), tmp_path)

    assert failed.reason.startswith("NO_SUCH_KEY is not set")


# Nothing is left


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Path]:
    """A server that ignores SIGTERM, with a child that does too and a grandchild in its group."""
    script = tmp_path / "family.py"
    script.write_text(FAMILY)
    yield script
    for pid in pids(script):
        if psutil.pid_exists(pid):
            os.kill(pid, 9)


def pids(script: Path) -> list[int]:
    path = script.parent / "pids"
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_stop_ends_all_that_a_server_started_wherever_it_went(
    family: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "STOP_SECONDS", 0.2)
    server = Server([sys.executable, str(family)], dict(os.environ), tmp_path, tmp_path / "log")
    begun = threading.Event()
    while len(pids(family)) < 3:
        begun.wait(0.02)
    found = pids(family)

    server.stop()

    assert found[0] != found[1]
    assert not [pid for pid in found if lives(pid)]
    with pytest.raises(ExperimentFailed):
        server.check()


def test_two_threads_that_stop_a_server_do_not_meet_in_it(
    family: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "STOP_SECONDS", 0.2)
    server = Server([sys.executable, str(family)], dict(os.environ), tmp_path, tmp_path / "log")
    begun, looks = threading.Event(), server._alive
    turns: list[str] = []

    def alive() -> list[psutil.Process]:
        turns.append(threading.current_thread().name)
        return looks()

    monkeypatch.setattr(server, "_alive", alive)
    while len(pids(family)) < 3:
        begun.wait(0.02)
    found = pids(family)

    threads = [threading.Thread(target=server.stop) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert not [pid for pid in found if lives(pid)]
    assert [name for name, _ in groupby(turns)] == list(dict.fromkeys(turns))


def test_a_stop_of_what_has_ended_does_nothing(tmp_path: Path) -> None:
    server = Server(["true"], dict(os.environ), tmp_path, tmp_path / "log")

    server.stop()
    server.stop()


def test_health_says_what_it_saw_last() -> None:
    with pytest.raises(ExperimentFailed, match="nobody answered at"):
        wait_until_healthy(f"http://127.0.0.1:{free_port()}/health", 0.1, lambda: None)
