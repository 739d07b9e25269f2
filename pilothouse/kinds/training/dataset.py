"""From a dataset to examples: records of a file or of Hugging Face, and the text in them."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pilothouse.kinds.config import load_cases
from pilothouse.kinds.training.errors import BadDataset
from pilothouse.kinds.training.params import TICKETS, Params
from pilothouse.kinds.training.tickets import tickets
from pilothouse.sdk.kind import MissingExtra

TEXT_FIELD = "text"
SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".parquet")
Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Example:
    """One text to learn; of `prompt` nothing is learnt, it may be empty."""

    prompt: str
    text: str


@dataclass(frozen=True, slots=True)
class Examples:
    """What is trained on, what is evaluated on, and how many records had no text."""

    train: list[Example]
    evaluate: list[Example]
    empty: int = 0


def load_examples(params: Params) -> Examples:
    """Read the dataset, and the other one or the part that is held out.

    Raises:
        BadDataset: It cannot be read, is empty, or lacks its field.
    """
    found, empty = _examples(params.dataset, params)
    if params.eval_dataset:
        try:
            held, _ = _examples(params.eval_dataset, params)
        except BadDataset as error:  # the same fault in the other field
            if error.details.get("field") == "dataset":
                error.details["field"] = "eval_dataset"
            raise
        return Examples(found, held, empty)
    count = min(round(len(found) * params.eval_fraction), len(found) - 1)
    order = list(range(len(found)))
    random.Random(params.seed).shuffle(order)  # noqa: S311 - the split is to be repeatable
    chosen = set(order[:count])
    train = [example for number, example in enumerate(found) if number not in chosen]
    return Examples(train, [found[number] for number in sorted(chosen)], empty)


def _examples(name: str, params: Params) -> tuple[list[Example], int]:
    records = read_records(name, allow_download=params.allow_download)
    if not records:
        raise BadDataset(
            f"The dataset {name} is empty.", hint="Give one with at least one record.", field="dataset"
        )
    made = [_example(number, record, name, params) for number, record in enumerate(records, 1)]
    kept = [example for example in made if example.text.strip()]
    if not kept:
        raise BadDataset(
            f"The dataset {name} has {len(made)} records and no text in any of them.",
            hint="Name the field that holds the text: text_field.",
            field="text_field",
        )
    return kept, len(made) - len(kept)


def _example(number: int, record: Record, name: str, params: Params) -> Example:
    if params.text_field is None and TEXT_FIELD not in record:
        pair = params.prompt_field, params.completion_field
        if all(field in record for field in pair):
            prompt, completion = (_text(number, record, field, name) for field in pair)
            return Example(prompt, completion)
    field = params.text_field or TEXT_FIELD
    if field not in record:
        has = ", ".join(map(str, record)) or "no fields"
        raise BadDataset(
            f"Record {number} of {name} has no field {field!r}; it has {has}.",
            hint="Name the field with the text (text_field), or the two of a pair (prompt_field, completion_field).",
            field="text_field",
        )
    return Example("", _text(number, record, field, name))


def _text(number: int, record: Record, field: str, name: str) -> str:
    """A field as text; what a list or an object would become as text is not what one wants to be learnt."""
    value = record[field]
    if isinstance(value, str | int | float | None):
        return "" if value is None else str(value)
    raise BadDataset(
        f"Record {number} of {name} has no text in {field!r} but a {type(value).__name__}.",
        hint="Write it out as text, or name another field (text_field, or prompt_field and completion_field).",
        field="text_field",
    )


def read_records(name: str, *, allow_download: bool = False) -> Sequence[Record]:
    """The records that a name stands for.

    Raises:
        BadDataset: There is no such file, or it is not what its name says.
        MissingExtra: Parquet without pyarrow.
    """
    if name == TICKETS:
        return tickets()
    path = Path(name).expanduser()
    if path.suffix.lower() in SUFFIXES or path.exists():
        return _of_file(path)
    return _of_hugging_face(name, allow_download=allow_download)


def _of_file(path: Path) -> Sequence[Record]:
    if not path.is_file():
        hint = "Give the whole path of a .jsonl, .csv or .parquet file on the machine that trains."
        raise BadDataset(f"There is no file {path.absolute()}.", hint=hint, field="dataset")
    if path.suffix.lower() not in SUFFIXES:
        hint = f"Name it by what it holds: {', '.join(SUFFIXES)}."
        raise BadDataset(f"The dataset {path} has no name that says what it is.", hint=hint, field="dataset")
    try:
        if path.suffix.lower() == ".parquet":
            return _parquet(path)
        return load_cases(path)
    except (ValueError, OSError) as error:
        hint = "It must be JSONL, a JSON list of objects, CSV with a heading, or Parquet."
        raise BadDataset(f"The dataset cannot be read. {error}", hint=hint, field="dataset") from None


def _parquet(path: Path) -> Sequence[Record]:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        raise MissingExtra(
            "Parquet files need pyarrow.", hint="pip install pyarrow, or give a CSV or JSONL file."
        ) from None
    try:
        records: list[dict[str, Any]] = parquet.read_table(path).to_pylist()
    except ArrowException as error:
        raise ValueError(f"{path.name}: {error}") from None
    return records


def _of_hugging_face(name: str, *, allow_download: bool) -> Sequence[Record]:
    from datasets import DownloadConfig, load_dataset

    config = DownloadConfig(local_files_only=not allow_download)
    try:
        loaded: Iterable[Record] = load_dataset(name, split="train", download_config=config)
        return list(loaded)
    except Exception as error:
        hint = (
            "Give a file, or an id of Hugging Face that can be reached."
            if allow_download
            else "Give a file. To fetch a Hugging Face dataset of that name, set allow_download."
        )
        first = str(error).strip().partition("\n")[0]
        raise BadDataset(f"There is no dataset {name!r} here: {first}", hint=hint, field="dataset") from error
