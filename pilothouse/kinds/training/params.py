"""What a training is told: model, dataset, method, length, and how often to look and to save.

Standard library and pydantic only. Every message names the field and says the way out.
"""

from __future__ import annotations

import math
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from pilothouse.kinds.fields import advanced as _advanced
from pilothouse.kinds.script import Name, Word

TINY = "tiny"
TICKETS = "tickets"


def problem(message: str) -> PydanticCustomError:
    """A validation error with exactly this message."""
    return PydanticCustomError("training", message)


class Params(BaseModel):
    """Fine-tune a language model, or follow a trainer that runs elsewhere."""

    model_config = ConfigDict(extra="forbid", title="Training", protected_namespaces=())

    mode: Literal["train", "command", "watch"] = Field(
        default="train",
        title="Mode",
        description="train: with the trainer that ships here · command: start your own trainer and read its bar · "
        "watch: follow the progress.json of one that runs already.",
    )
    model: Word = Field(
        default=TINY,
        min_length=1,
        title="Model",
        description="Folder of a model, a Hugging Face id, or tiny: a GPT-2 of 0.3 M parameters made from scratch.",
    )
    dataset: Word = Field(
        default=TICKETS,
        min_length=1,
        title="Dataset",
        description="Path of a JSONL, CSV or Parquet file, a Hugging Face id, or tickets: generated support tickets.",
    )
    eval_dataset: Word | None = Field(
        default=None,
        title="Evaluation dataset",
        description="A dataset of its own; empty: a part of the dataset is held out.",
        json_schema_extra=_advanced(),
    )
    eval_fraction: float = Field(
        default=0.1,
        ge=0,
        le=0.5,
        title="Held out",
        description="Share of the dataset that is only evaluated on; 0: no evaluation.",
        json_schema_extra=_advanced(),
    )
    text_field: str | None = Field(
        default=None,
        title="Text field",
        description="Field with the text to learn. Empty: `text`, or the prompt and completion fields where there are.",
    )
    prompt_field: str = Field(
        default="prompt",
        min_length=1,
        title="Prompt field",
        description="What the model is given; it does not learn to say it.",
        json_schema_extra=_advanced(),
    )
    completion_field: str = Field(
        default="completion",
        min_length=1,
        title="Completion field",
        description="What it learns to say.",
        json_schema_extra=_advanced(),
    )
    allow_download: bool = Field(
        default=False,
        title="May download",
        description="Fetch a model or dataset from Hugging Face where it is not on this machine yet.",
        json_schema_extra=_advanced(),
    )
    method: Literal["full", "lora"] = Field(
        default="full",
        title="Method",
        description="full: all weights · lora: small adapters beside them, in a fraction of the memory.",
    )
    lora_rank: int = Field(
        default=8,
        ge=1,
        le=1024,
        title="LoRA rank",
        description="Size of the adapters.",
        json_schema_extra=_advanced(),
    )
    lora_alpha: float = Field(
        default=16.0,
        gt=0,
        title="LoRA alpha",
        description="Their strength is alpha / rank.",
        json_schema_extra=_advanced(),
    )
    lora_dropout: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        title="LoRA dropout",
        description="Share of the adapters' inputs left out at random.",
        json_schema_extra=_advanced(),
    )
    epochs: float = Field(
        default=1.0,
        gt=0,
        le=10_000,
        title="Epochs",
        description="How often the dataset is gone through, unless steps are given.",
    )
    steps: int | None = Field(
        default=None,
        ge=1,
        le=100_000_000,
        title="Steps",
        description="Optimiser steps in all; outranks the epochs.",
    )
    batch_size: int = Field(
        default=8,
        ge=1,
        le=65_536,
        title="Batch size",
        description="Examples that go through the model at once.",
    )
    accumulation: int = Field(
        default=1,
        ge=1,
        le=65_536,
        title="Accumulation",
        description="Batches for one optimiser step.",
        json_schema_extra=_advanced(),
    )
    learning_rate: float = Field(
        default=5e-4,
        gt=0,
        le=10,
        title="Learning rate",
        description="The highest of the schedule. May be changed while the run goes on.",
    )
    schedule: Literal["linear", "cosine", "constant"] = Field(
        default="linear",
        title="Schedule",
        description="How the learning rate falls after the warm-up.",
        json_schema_extra=_advanced(),
    )
    warmup_steps: int = Field(
        default=0,
        ge=0,
        title="Warm-up",
        description="Steps in which the learning rate rises from 0.",
        json_schema_extra=_advanced(**{"x-unit": "steps"}),
    )
    weight_decay: float = Field(
        default=0.0,
        ge=0,
        le=10,
        title="Weight decay",
        description="Of AdamW.",
        json_schema_extra=_advanced(),
    )
    max_grad_norm: float = Field(
        default=1.0,
        ge=0,
        title="Largest gradient norm",
        description="Longer gradients are shortened; 0 leaves them.",
        json_schema_extra=_advanced(),
    )
    max_length: int = Field(
        default=128,
        ge=2,
        le=1_000_000,
        title="Longest example",
        description="Tokens; the rest of an example is cut.",
        json_schema_extra=_advanced(**{"x-unit": "tokens"}),
    )
    logging_steps: int = Field(
        default=10, ge=1, title="Log every", description="Steps between two points of the curves.",
        json_schema_extra=_advanced(**{"x-unit": "steps"}),
    )  # fmt: skip
    eval_steps: int | None = Field(
        default=None,
        ge=1,
        title="Evaluate every",
        description="Steps; empty: at every tenth of the run. The last step is always evaluated.",
        json_schema_extra=_advanced(**{"x-unit": "steps"}),
    )
    sample_prompt: Word | None = Field(
        default=None,
        title="Sample prompt",
        description="What the model is asked after each evaluation; empty: the first example that is held out.",
        json_schema_extra=_advanced(),
    )
    sample_tokens: int = Field(
        default=32,
        ge=0,
        le=4_096,
        title="Sample length",
        description="The most that it answers; 0: it is not asked.",
        json_schema_extra=_advanced(**{"x-unit": "tokens"}),
    )
    save_steps: int | None = Field(
        default=None,
        ge=1,
        title="Save every",
        description="Steps between two checkpoints; empty: a tenth of the run. A crash costs what came after the last.",
        json_schema_extra=_advanced(**{"x-unit": "steps"}),
    )
    keep_checkpoints: int = Field(
        default=3,
        ge=1,
        le=10_000,
        title="Keep",
        description="Checkpoints kept in the run's folder: the newest ones, and the best.",
        json_schema_extra=_advanced(),
    )
    offer_checkpoints: bool = Field(
        default=True,
        title="Offer checkpoints",
        description="List each checkpoint among the run's files as a zip. Off saves disk where models are large.",
        json_schema_extra=_advanced(),
    )
    precision: Literal["fp32", "bf16", "fp16"] = Field(
        default="fp32",
        title="Precision",
        description="bf16 and fp16 halve the memory for activations; fp16 needs a GPU.",
        json_schema_extra=_advanced(),
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = Field(
        default="auto",
        title="Device",
        description="auto: a GPU where there is one.",
        json_schema_extra=_advanced(),
    )
    threads: int | None = Field(
        default=None,
        ge=1,
        le=1024,
        title="CPU threads",
        description="Empty: one for tiny, else as many as there are cores. The last digits depend on it.",
        json_schema_extra=_advanced(),
    )
    seed: int = Field(
        default=7,
        ge=0,
        lt=2**32,
        title="Seed",
        description="Of weights made from scratch, of the order of examples, of dropout.",
        json_schema_extra=_advanced(),
    )
    stuck_seconds: float | None = Field(
        default=None,
        gt=0,
        le=7 * 86_400,
        title="Stuck after",
        description="Seconds without a step after which the run counts as stuck.",
        json_schema_extra=_advanced(**{"x-unit": "s"}),
    )
    command: list[Word] = Field(
        default_factory=list,
        max_length=10_000,
        title="Command",
        description="Mode command: the program and its arguments, one each. No shell reads them.",
        json_schema_extra=_advanced(),
    )
    folder: Word | None = Field(
        default=None,
        title="Folder",
        description="Mode command: where it runs. Default: the run's own folder.",
        json_schema_extra=_advanced(),
    )
    environment: dict[Name, Word] = Field(
        default_factory=dict,
        title="Environment",
        description="Mode command: variables beside those of the host. No place for secrets.",
        json_schema_extra=_advanced(),
    )
    restart: bool = Field(
        default=False,
        title="Start it again",
        description="Mode command: after a crash of the machine, start the command again from its beginning.",
        json_schema_extra=_advanced(),
    )
    progress_file: Word | None = Field(
        default=None,
        title="Progress file",
        description="Mode watch: the progress.json to follow.",
        json_schema_extra=_advanced(),
    )

    @field_validator("learning_rate", "lora_alpha", "max_grad_norm", "weight_decay", "epochs")
    @classmethod
    def _is_finite(cls, value: float) -> float:
        if not math.isfinite(value):
            raise problem("give a finite number")
        return value

    @model_validator(mode="after")
    def _agree(self) -> Self:
        found = [
            InitErrorDetails(type=problem(text), loc=(field,), input=None)
            for field, text in self._disagreements()
        ]
        if found:
            raise ValidationError.from_exception_data("Params", found)
        return self

    def _disagreements(self) -> list[tuple[str, str]]:
        found = []
        if self.mode == "command" and not self.command:
            found.append(("command", "give the command that trains, or set mode to train"))
        if self.mode == "watch" and not self.progress_file:
            found.append(
                ("progress_file", "give the path of the progress.json to follow, or set mode to train")
            )
        if self.precision == "fp16" and self.device == "cpu":
            found.append(("precision", "fp16 needs a GPU; take bf16 or fp32 on a CPU"))
        if self.steps is not None and self.warmup_steps >= self.steps:
            found.append(("warmup_steps", f"must be below the {self.steps} steps of the run"))
        return found
