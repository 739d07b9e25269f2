"""The kind `script`: any command, as it is.

The declaration only; `job.py` starts the command and `command.py` is the process.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from pilothouse.sdk.kind import Kind

Word = Annotated[str, Field(pattern=r"^[^\x00]*$", max_length=100_000)]
Name = Annotated[str, Field(pattern=r"^[^\x00=]+$", max_length=200)]


class Params(BaseModel):
    """What to start, and where."""

    model_config = ConfigDict(extra="forbid")

    command: list[Word] = Field(
        min_length=1,
        max_length=10_000,
        title="Command",
        description="A program and its arguments, as in a terminal. No shell reads them.",
        json_schema_extra={"x-widget": "command"},
    )
    folder: Word | None = Field(
        default=None, title="Folder", description="Where the command runs. Default: the run's own folder."
    )
    environment: dict[Name, Word] = Field(
        default_factory=dict,
        title="Environment",
        description="Variables beside those of the host. They are part of the log: no place for secrets.",
    )
    params: dict[str, Any] = Field(
        default_factory=dict,
        title="Params",
        description="What `ph.run` gives the script as `run.params`, over its own.",
    )
    stuck_seconds: float | None = Field(
        default=None,
        gt=0,
        le=7 * 86_400,
        title="Stuck after",
        description="Seconds without an item, a metric or a line after which the run counts as stuck.",
        json_schema_extra={"x-unit": "s"},
    )
    restart: bool = Field(
        default=False,
        title="Start it again",
        description="After a crash of the machine or the host, start the command again from its beginning. "
        "A command that has attached itself goes on where it was in any case.",
    )


KIND = Kind(
    name="script",
    title="Script",
    prefix="run",
    entry="pilothouse.kinds.script.job:run",
    params=Params,
    summary="Runs any command and keeps what it says.",
    unit="item",
    units="items",
    stuck_seconds=600.0,
    can_release=False,
)
