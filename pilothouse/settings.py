"""Every setting, from `PILOTHOUSE_*` variables or the command line.

The URL schemes of `database` and `bus` choose the implementations; `app.py`
is the only module that reads them so.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class Settings(BaseSettings):
    """The settings of a server; see docs/reference/settings.md."""

    model_config = SettingsConfigDict(env_prefix="PILOTHOUSE_", frozen=True)

    data: Path = Field(
        default=Path("~/.pilothouse"), description="Folder of the database, the token and the runs."
    )
    address: str = Field(default="127.0.0.1", description="Address to listen on; loopback only.")
    port: int = Field(default=8420, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    database: str | None = Field(
        default=None,
        description="`sqlite:///path`, `postgresql://…` or `memory:`; default: a file in `data`.",
    )
    bus: str = Field(default="memory:", description="`memory:` for one server, `redis://…` for several.")
    slots: int = Field(
        default_factory=lambda: max(2, os.cpu_count() or 1),
        ge=1,
        description="Runs side by side on this machine.",
    )
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Host names to answer to, beside localhost and 127.0.0.1, separated by commas.",
    )
    kinds: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Kinds beside the built-in ones, each as `module:KIND`, separated by commas."
    )
    insecure_no_auth: bool = Field(
        default=False, description="Ask nobody for a token. Loopback only; Host and Origin are still checked."
    )
    lease_seconds: float = Field(default=15.0, gt=0, description="How long an attempt may be silent.")
    release_seconds: float = Field(
        default=600.0, gt=0, description="How long a pause holds its process before it is asked to leave."
    )
    on_stuck: Literal["warn", "dump", "pause", "cancel"] = Field(
        default="warn", description="What to do with a stuck run, beside saying so; `dump` logs its stack."
    )
    retain_days: float | None = Field(
        default=None,
        gt=0,
        description="Trim the logs of runs that ended so many days ago; default: keep them.",
    )
    retain_events: int | None = Field(
        default=None,
        ge=1000,
        description="Trim logs to about so many of their newest events; default: keep all.",
    )
    heartbeat_seconds: float = Field(default=15.0, gt=0, description="Pause between heartbeats of a stream.")
    stall_seconds: float = Field(
        default=30.0, ge=1, description="How long a client may take nothing of what it is sent."
    )

    @field_validator("kinds", "allowed_hosts", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        """A variable holds a list as words between commas."""
        return (
            tuple(filter(None, (word.strip() for word in value.split(","))))
            if isinstance(value, str)
            else value
        )

    @property
    def folder(self) -> Path:
        """The data folder, absolute."""
        return self.data.expanduser().resolve()

    @property
    def database_url(self) -> str:
        """The database's URL, with the default filled in."""
        return self.database or f"sqlite:///{self.folder / 'pilothouse.db'}"
