"""The parts of an autotune's params: the target, a parameter, a limit, the load."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from pilothouse.kinds.fields import advanced

Value = bool | int | float | str
Limited = Literal[
    "latency_p50_ms",
    "latency_p95_ms",
    "latency_p99_ms",
    "ttft_p50_ms",
    "ttft_p95_ms",
    "ttft_p99_ms",
    "tpot_p50_ms",
    "tpot_p95_ms",
    "tpot_p99_ms",
    "error_rate",
    "tokens_per_second",
    "goodput",
]
AT_LEAST = frozenset({"tokens_per_second", "goodput"})
NEEDS_MODEL = frozenset({"transformers", "vllm", "sglang"})
LONGEST_SPACE = 1_000
PROMPTS = (
    "Explain in a few sentences how a hash table works.",
    "Write a short note to a customer whose parcel is late.",
    "What should be checked before code is merged?",
    "Describe the room you would like to work in.",
)


def problem(message: str) -> PydanticCustomError:
    """A validation error with exactly this message."""
    return PydanticCustomError("autotune", message)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Target(_Part):
    """The server that is tuned: one that is started for each experiment, or one that runs already."""

    server: Literal["offline", "transformers", "vllm", "sglang", "command", "url"] = Field(
        default="offline",
        title="Server",
        description="offline: the small model that ships here · transformers, vllm, sglang: their servers · "
        "command: any other · url: one that runs and takes new settings by a call.",
    )
    model: str | None = Field(
        default=None,
        title="Model",
        description="Folder or id that the server loads and requests name. Empty: what the server lists first.",
    )
    command: list[str] = Field(
        default_factory=list,
        title="Command",
        description="Program and arguments, one each; {port}, {model} and {a parameter} are filled in. "
        "For a known server it replaces the program.",
    )
    flags: dict[str, Value] = Field(
        default_factory=dict, title="Flags", description="Set in every experiment, such as dtype: float32."
    )
    environment: dict[str, str] = Field(
        default_factory=dict,
        title="Environment",
        description="Variables of the server. They are part of the log: no place for secrets.",
        json_schema_extra=advanced(),
    )
    base_url: str | None = Field(
        default=None,
        title="Base URL",
        description="For url: where it answers, such as http://10.0.0.5:8000/v1.",
    )
    reconfigure_url: str | None = Field(
        default=None,
        title="Reconfigure URL",
        description="For url: takes each experiment's settings by POST, as a JSON object.",
    )
    api_key_env: str | None = Field(
        default=None,
        title="API key variable",
        description="Name of the environment variable that holds the key; empty without a key.",
        json_schema_extra=advanced(),
    )
    health_path: str = Field(
        default="/health",
        pattern=r"^/",
        title="Health path",
        description="Answers 2xx once the server can work.",
        json_schema_extra=advanced(),
    )
    health_seconds: float = Field(
        default=120.0,
        gt=0,
        le=7200,
        title="Time to become healthy",
        description="Seconds; a server that takes longer has failed.",
        json_schema_extra=advanced(**{"x-unit": "s"}),
    )

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.server in NEEDS_MODEL and not self.model:
            raise problem(f"model: is missing; name the folder or id that {self.server} shall load")
        if self.server == "command" and not any(word.strip() for word in self.command[:1]):
            raise problem(
                "command: is missing; give the program and its arguments, with {port} where it goes"
            )
        if self.server == "url":
            if not self.base_url:
                raise problem("base_url: is missing; say where the server answers")
            if not self.reconfigure_url:
                raise problem("reconfigure_url: is missing; say what takes the settings of each experiment")
        return self

    @field_validator("command")
    @classmethod
    def _is_argv(cls, command: list[str]) -> list[str]:
        if any("\x00" in word for word in command):
            raise problem("a word holds the character 0; remove it")
        return command

    @field_validator("base_url", "reconfigure_url")
    @classmethod
    def _is_address(cls, url: str | None) -> str | None:
        if url and not _leads_somewhere(url):
            raise problem(f"{url!r} is no address; use one such as http://127.0.0.1:8000/v1")
        return url.rstrip("/") if url else None

    @field_validator("api_key_env")
    @classmethod
    def _is_variable(cls, name: str | None) -> str | None:
        if name and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise problem("give the name of an environment variable, such as OPENAI_API_KEY, never the key")
        return name or None


def _leads_somewhere(url: str) -> bool:
    try:
        place = urlsplit(url)
        is_whole = place.scheme in ("http", "https") and bool(place.hostname) and place.port != 0
        return is_whole and not any(map(str.isspace, url))
    except ValueError:  # such as a port above 65535
        return False


class Parameter(_Part):
    """One setting of the server, and the values that are tried."""

    name: str = Field(
        pattern=r"^[A-Za-z][A-Za-z0-9_.-]*$",
        max_length=80,
        title="Name",
        description="The flag without its dashes, such as max-num-seqs; or a variable of the environment.",
    )
    type: Literal["grid", "categorical", "int", "float", "log"] = Field(
        default="grid",
        title="Type",
        description="grid: a list in order · categorical: a list without order · int, float: a range · "
        "log: a range in which factors count.",
    )
    values: list[Value] = Field(
        default_factory=list,
        max_length=LONGEST_SPACE,
        title="Values",
        description="For grid and categorical.",
    )
    low: float | None = Field(default=None, allow_inf_nan=False, title="From", description="For a range.")
    high: float | None = Field(default=None, allow_inf_nan=False, title="To", description="For a range.")
    step: float | None = Field(
        default=None, gt=0, allow_inf_nan=False, title="Step", description="For int and float; int has 1."
    )
    count: int | None = Field(
        default=None,
        ge=2,
        le=LONGEST_SPACE,
        title="Values of the range",
        description="For float and log: takes so many values, evenly spread.",
    )
    apply: Literal["flag", "environment"] = Field(
        default="flag",
        title="Given as",
        description="A flag of the command, or a variable of its environment.",
    )

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        for text in self._faults():
            raise problem(f"{self.name}: {text}")
        return self

    def _faults(self) -> Iterator[str]:
        if self.type in ("grid", "categorical"):
            yield from self._list_faults()
        else:
            yield from self._range_faults()

    def _list_faults(self) -> Iterator[str]:
        if not self.values:
            yield "there is nothing to try; list its values"
        spelled = [f"{type(value).__name__}:{value}" for value in self.values]
        for number, word in enumerate(spelled):
            if word in spelled[:number]:
                yield f"{self.values[number]!r} is listed twice; keep one of the two"
        if any(isinstance(value, float) and not math.isfinite(value) for value in self.values):
            yield "its values must be finite numbers"
        if {self.low, self.high, self.step, self.count} != {None}:
            yield f"a {self.type} has values, and no low, high, step or count"

    def _range_faults(self) -> Iterator[str]:
        if self.values:
            yield f"values belong to grid and categorical; a range of type {self.type} has low and high"
        if self.low is None or self.high is None:
            yield f"a range of type {self.type} needs low and high"
        elif self.low > self.high:
            yield f"low ({self.low:g}) is above high ({self.high:g}); swap them"
        elif self.type == "log" and self.low <= 0:
            yield "a range of type log begins above 0"
        elif self.type == "int" and not all(
            float(number).is_integer() for number in (self.low, self.high, self.step or 1)
        ):
            yield "a range of type int has whole numbers; use float"
        else:
            yield from self._step_faults(self.low, self.high)

    def _step_faults(self, low: float, high: float) -> Iterator[str]:
        if self.type == "log" and self.step:
            yield "a range of type log has no step; use count"
        if self.type == "int" and self.count:
            yield "a range of type int has no count; use step"
        if self.step and self.count:
            yield "give step or count, not both"
        step = self.step or (1 if self.type == "int" else None)
        if step and (high - low) / step >= LONGEST_SPACE:
            yield f"the range has more than {LONGEST_SPACE:,} values; use a larger step"


class Slo(_Part):
    """A promise that a good setting keeps."""

    metric: Limited = Field(title="Number", description="What is limited; throughput and goodput from below.")
    limit: float = Field(
        gt=0, allow_inf_nan=False, title="Limit", description="Milliseconds, a share, or per second."
    )
    weight: float = Field(
        default=1.0,
        ge=0,
        le=1e6,
        title="Weight",
        description="How much a broken promise counts in the score.",
    )
    hard_fail: float | None = Field(
        default=None,
        ge=0,
        title="Hard fail",
        description="Beyond this ratio above the limit the setting is out, such as 0.5: half as much again. "
        "Empty: never.",
    )


class Load(_Part):
    """The requests that measure a setting."""

    concurrencies: list[int] = Field(
        default=[1, 4],
        min_length=1,
        max_length=20,
        title="Requests side by side",
        description="Each of these levels is measured; the numbers are those of all levels together.",
    )
    requests: int = Field(
        default=16, ge=1, le=100_000, title="Requests", description="At each level, warm-up excluded."
    )
    warmup: int = Field(
        default=2, ge=0, le=10_000, title="Warm-up", description="Requests before, which are not counted."
    )
    prompts: list[str] = Field(
        default_factory=lambda: list(PROMPTS),
        min_length=1,
        max_length=10_000,
        title="Prompts",
        description="Asked in turn.",
        json_schema_extra=advanced(default=list(PROMPTS)),
    )
    are_prompts_unique: bool = Field(
        default=True,
        title="Number the prompts",
        description="Each request begins with a number of its own, so that no cache of prefixes is measured.",
        json_schema_extra=advanced(),
    )
    max_tokens: int = Field(default=64, ge=1, le=200_000, title="Longest answer", description="Tokens.")
    temperature: float = Field(
        default=0.0,
        ge=0,
        le=2,
        title="Temperature",
        description="0 takes the likeliest token each time.",
        json_schema_extra=advanced(),
    )
    body: dict[str, Any] = Field(
        default_factory=dict,
        title="Further fields",
        description="Sent with every request, such as ignore_eos: true.",
        json_schema_extra=advanced(default={}),
    )
    timeout_seconds: float = Field(
        default=60.0,
        gt=0,
        le=3600,
        title="Time-out",
        description="Seconds for one request.",
        json_schema_extra=advanced(**{"x-unit": "s"}),
    )
    max_error_rate: float = Field(
        default=0.1,
        ge=0,
        le=1,
        title="Errors allowed",
        description="A share; with more of them the experiment has failed.",
        json_schema_extra=advanced(),
    )

    @field_validator("concurrencies")
    @classmethod
    def _are_levels(cls, levels: list[int]) -> list[int]:
        for level in levels:
            if not 1 <= level <= 1024:
                raise problem(f"{level} requests side by side cannot be measured; use 1 to 1,024")
        return levels
