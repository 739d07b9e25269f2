"""Every setting, from `PILOTHOUSE_*` variables or the command line.

The URL schemes of `database` and `bus` choose the implementations; `app.py`
is the only module that reads them so.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

Ended = Literal["completed", "failed", "cancelled"]


class Settings(BaseSettings):
    """The settings of a server; see docs/reference/settings.md."""

    model_config = SettingsConfigDict(env_prefix="PILOTHOUSE_", frozen=True, hide_input_in_errors=True)

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
    session_days: float = Field(
        default=30.0, gt=0, le=3650, description="How long a browser stays signed in, from its sign-in."
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
    retain_files_days: float | None = Field(
        default=None,
        gt=0,
        description="Remove the files of runs that ended so many days ago; default: keep them.",
    )
    sample_seconds: float = Field(
        default=5.0,
        ge=0,
        description="Pause between two looks at what a job uses of its machine, at first; 0 never looks.",
    )
    heartbeat_seconds: float = Field(default=15.0, gt=0, description="Pause between heartbeats of a stream.")
    training_clients: int | None = Field(
        default=None,
        ge=1,
        description="How many may follow one training job by the WebSocket of its dialect; default: any number.",
    )
    stall_seconds: float = Field(
        default=30.0, ge=1, le=3600, description="How long a client may take nothing of what it is sent."
    )
    notify_on: Annotated[tuple[Ended, ...], NoDecode] = Field(
        default=("completed", "failed"),
        description="Which ends are told by e-mail or webhook: `completed`, `failed`, `cancelled`, by commas.",
    )
    notify_after_seconds: float = Field(
        default=600.0, ge=0, description="How long a run must have taken for its end to be told so."
    )
    page: str | None = Field(
        default=None, description="Address of the page in what is told; default: this machine and the port."
    )
    smtp: str | None = Field(
        default=None, description="Mail server, `smtp://user@host:587` or `smtps://…`; default: no e-mail."
    )
    smtp_password: SecretStr | None = Field(default=None, description="Password of the mail server's user.")
    mail_from: str | None = Field(default=None, description="Address that e-mail comes from.")
    mail_to: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Addresses that e-mail goes to, separated by commas."
    )
    webhook: str | None = Field(
        default=None, description="Address that each end is posted to as JSON; default: none."
    )
    webhook_secret: SecretStr | None = Field(
        default=None, description="Signs what is posted, by HMAC-SHA256; default: not signed."
    )

    @field_validator("kinds", "allowed_hosts", "notify_on", "mail_to", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        """A variable holds a list as words between commas."""
        return (
            tuple(filter(None, (word.strip() for word in value.split(","))))
            if isinstance(value, str)
            else value
        )

    @field_validator("smtp")
    @classmethod
    def _is_mail_server(cls, url: str | None) -> str | None:
        parts = _split_url(url, ("smtp", "smtps"), "name a mail server such as smtp://user@mail.example:587")
        if parts and parts.password:
            raise ValueError("leave the password out and set PILOTHOUSE_SMTP_PASSWORD")
        return url or None

    @field_validator("webhook", "page")
    @classmethod
    def _is_address(cls, url: str | None) -> str | None:
        _split_url(url, ("http", "https"), "name an address such as https://chat.example/hook")
        return url or None

    @field_validator("mail_from", "mail_to")
    @classmethod
    def _are_mail_addresses(cls, value: Any) -> Any:
        for address in (value,) if isinstance(value, str) else value or ():
            if not re.fullmatch(r"[^@\s,<>]+@[^@\s,<>]+", address):
                raise ValueError(f"{address!r} is no mail address; write it as ann@lab.example")
        return value or (None if isinstance(value, str) else value)

    @model_validator(mode="after")
    def _says_whom_to_mail(self) -> Self:
        if self.smtp and not (self.mail_from and self.mail_to):
            raise ValueError("PILOTHOUSE_SMTP needs PILOTHOUSE_MAIL_FROM and PILOTHOUSE_MAIL_TO as well")
        if self.mail_to and not self.smtp:
            raise ValueError("PILOTHOUSE_MAIL_TO needs PILOTHOUSE_SMTP as well: it names the mail server")
        return self

    @property
    def folder(self) -> Path:
        """The data folder, absolute."""
        return self.data.expanduser().resolve()

    @property
    def database_url(self) -> str:
        """The database's URL, with the default filled in."""
        return self.database or f"sqlite:///{self.folder / 'pilothouse.db'}"


def _split_url(url: str | None, schemes: tuple[str, ...], advice: str) -> SplitResult | None:
    """The parts of an address, None without one."""
    if not url:
        return None
    parts = urlsplit(url)
    try:
        is_whole = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none
        is_whole = False
    if not is_whole:
        raise ValueError(advice)
    return parts
