"""What a synthesis is told: a table, a method, limits.

Every message names the field and says the way out. Imports pydantic only; what
needs numbers is checked when the table has been read.
"""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from pilothouse.kinds.fields import advanced
from pilothouse.kinds.models import Model, problem
from pilothouse.kinds.synthesis.sheet import read_csv_text

ADVANCED = advanced()
EXAMPLES = ("customers", "iris", "wine", "breast_cancer", "diabetes")
Method = Literal["ctgan", "tvae", "copula"]
METHODS: tuple[Method, ...] = ("ctgan", "copula", "tvae")
MAX_ATTEMPTS = 5


class Params(BaseModel):
    """One table in, one synthetic table out."""

    model_config = ConfigDict(extra="forbid", title="Synthesis")

    example: Literal["customers", "iris", "wine", "breast_cancer", "diabetes"] | None = Field(
        default=None,
        title="Example table",
        description="A table that is at hand: customers ships here, the others come with scikit-learn.",
    )
    path: str | None = Field(
        default=None,
        max_length=4_000,
        title="File",
        description="A CSV or Parquet file on the host, by its absolute path.",
    )
    rows: list[dict[str, Any]] = Field(
        default_factory=list,
        title="Rows",
        description="The table itself, pasted or uploaded: CSV with a heading, JSON or JSONL. At most 256 KB.",
        json_schema_extra={"x-widget": "records", "default": []},
    )
    method: Literal["agent", "ctgan", "tvae", "copula"] = Field(
        default="agent",
        title="Method",
        description="agent: the plan decides by the table. ctgan, tvae: neural networks. copula: Gaussian copula.",
    )
    model: Model | None = Field(
        default=None,
        title="Planning model",
        description="A chat model that plans for the method agent. Empty: written rules plan.",
        json_schema_extra=ADVANCED,
    )
    epochs: int | None = Field(
        default=None,
        ge=1,
        le=100_000,
        title="Epochs",
        description="Passes over the table in each attempt. Empty: the plan decides.",
    )
    batch_size: int | None = Field(
        default=None,
        ge=10,
        le=100_000,
        title="Batch size",
        description="Rows in one optimiser step. Empty: the plan decides.",
        json_schema_extra=ADVANCED,
    )
    count: int | None = Field(
        default=None,
        ge=1,
        le=1_000_000,
        title="Rows to make",
        description="Empty: as many as the table has.",
    )
    backups: int = Field(
        default=2,
        ge=0,
        le=MAX_ATTEMPTS - 1,
        title="Backups",
        description="Further attempts when training fails or a gauge is red; the best attempt is kept.",
    )
    time_limit_seconds: float | None = Field(
        default=None,
        gt=0,
        title="Time limit",
        description="Seconds of training in all attempts. Then the run goes on with what is learned.",
        json_schema_extra={"x-unit": "s"},
    )
    ks_mean_limit: float = Field(
        default=0.10,
        ge=0,
        le=1,
        title="KS mean",
        description="A pass at or below.",
        json_schema_extra=ADVANCED,
    )
    corr_delta_limit: float = Field(
        default=0.10,
        ge=0,
        le=2,
        title="Correlation delta",
        description="A pass at or below.",
        json_schema_extra=ADVANCED,
    )
    corr_delta_warn: float = Field(
        default=0.15,
        ge=0,
        le=2,
        title="Correlation delta, warning",
        description="A warning up to here, a fail above.",
        json_schema_extra=ADVANCED,
    )
    mia_auc_limit: float = Field(
        default=0.60,
        ge=0.5,
        le=1,
        title="MIA AUC",
        description="A pass at or below; 0.5 is an attack that guesses, 1 one that always knows.",
        json_schema_extra=ADVANCED,
    )
    dup_rate_limit: float = Field(
        default=0.05,
        ge=0,
        le=1,
        title="Duplicate rate",
        description="A pass at or below: share of rows that are in the table as they are.",
        json_schema_extra=ADVANCED,
    )
    holdout: float = Field(
        default=0.2,
        ge=0.05,
        le=0.5,
        title="Holdout",
        description="Share of rows that is not learned from, so that an attack has something to compare with.",
        json_schema_extra=ADVANCED,
    )
    seed: int = Field(
        default=7,
        ge=0,
        le=2**31 - 1,
        title="Seed",
        description="The same seed gives the same table on the same machine.",
        json_schema_extra=ADVANCED,
    )

    @field_validator("rows", mode="before")
    @classmethod
    def _may_be_csv(cls, rows: Any) -> Any:
        """The text of a CSV file is taken as it is."""
        return read_csv_text(rows) if isinstance(rows, str) else rows

    @model_validator(mode="after")
    def _agree(self) -> Self:
        given = [name for name in ("example", "path", "rows") if getattr(self, name)]
        if not given:
            raise problem("there is no table: give an example, a path or rows")
        if len(given) > 1:
            raise problem(f"there are several tables ({', '.join(given)}): leave one of them")
        if self.corr_delta_warn < self.corr_delta_limit:
            raise problem(
                f"corr_delta_warn {self.corr_delta_warn:g} lies below corr_delta_limit "
                f"{self.corr_delta_limit:g}; raise it, or give both the same value"
            )
        return self
