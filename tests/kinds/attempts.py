"""Attempts of one run on a real link server, in the test's own thread."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pilothouse.sdk.handle import RunHandle
from pilothouse.sdk.link import Link
from tests.sdk.link_server import LinkServer


class Attempts:
    """Begins one attempt after another.

    Args:
        validate: Of the kind.
    """

    def __init__(self, server: LinkServer, folder: Path, validate: Any) -> None:
        self.server = server
        self._folder = folder
        self._validate = validate
        self._links: list[Link] = []

    def begin(self, params: dict[str, Any] | None = None, folder: Path | None = None) -> RunHandle:
        """The first attempt with these params, or else the next one; in another folder, as on another host."""
        if params is not None:
            self.server.add_run(**self._validate(params))
        else:
            self.server.next_attempt()
        log = self.server.log
        link = Link(self.server.url, "secret", "run_1", log.run.attempt)
        self._links.append(link)
        handle = RunHandle(
            link,
            id="run_1",
            name="test",
            attempt=log.run.attempt,
            params=dict(log.run.params),
            folder=folder or self._folder,
            saved_state=log.saved_state,
            finished=tuple(log.finished),
        )
        link.start(on_live=handle.params.update)
        return handle

    def close(self) -> None:
        """End all links."""
        for link in self._links:
            link.close()
