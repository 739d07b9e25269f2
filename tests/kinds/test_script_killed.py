"""A script that is killed between the server's commit and its answer."""

from __future__ import annotations

from tests.kinds.test_script import HANG, Start, lines, python, spawn, start
from tests.sdk.link_server import LinkServer

__all__ = ["spawn", "start"]


def test_what_a_killed_script_had_sent_is_in_the_log_once(server: LinkServer, start: Start) -> None:
    program = "import pilothouse as ph\nwith ph.run('unused') as run:\n run.log('once')\n run._link.flush()"

    child = start(*python(program), environment={"PILOTHOUSE_FAILPOINT": "sdk.batch.answered:2"})

    child.wait(HANG)
    assert server.status() == "failed"
    assert lines(server, "job") == ["once"]
