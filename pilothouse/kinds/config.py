"""Params from files: TOML or JSON, where a text that begins with `@` names another file.

`cases = "@cases.jsonl"` holds the file's records, `template = "@strict.md"` its
text. Paths are relative to the file that names them; `@@` begins a text with one `@`.
Every error is a `ValueError` that names the key, the file and the line.
"""

from __future__ import annotations

import csv
import io
import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any


def load_params(path: Path | str) -> dict[str, Any]:
    """Read the params of a run.

    Args:
        path: A `.toml` or `.json` file.

    Raises:
        ValueError: The file, or one that it names, cannot be read as what its name says.
    """
    path = Path(path)
    match path.suffix.lower():
        case ".toml":
            params = _parsed(path, "TOML", tomllib.loads)
        case ".json":
            params = _parsed(path, "JSON", json.loads)
        case other:
            raise ValueError(f"{path}: params are read from .toml and .json files, not {other or 'this'}")
    if not isinstance(params, dict):
        raise ValueError(f"{path}: params are an object with names and values")
    resolved: dict[str, Any] = _resolve(params, path.parent, "")
    return resolved


def load_cases(path: Path | str) -> list[dict[str, Any]]:
    """Read records: JSONL, CSV with a heading, or a JSON list of objects.

    Raises:
        ValueError: The message names file and line.
    """
    path = Path(path)
    match path.suffix.lower():
        case ".jsonl" | ".ndjson":
            return _jsonl(path)
        case ".csv":
            return _csv(path)
        case ".json":
            return _records(path, _parsed(path, "JSON", json.loads))
        case _:
            raise ValueError(f"{path.name}: cases are read from .jsonl, .csv and .json files")


def _resolve(value: Any, folder: Path, key: str) -> Any:
    """Replace every `@file` by what the file holds."""
    if isinstance(value, dict):
        return {name: _resolve(entry, folder, f"{key}.{name}".lstrip(".")) for name, entry in value.items()}
    if isinstance(value, list):
        return [_resolve(entry, folder, f"{key}.{number}") for number, entry in enumerate(value)]
    if not isinstance(value, str) or not value.startswith("@"):
        return value
    if value.startswith("@@"):
        return value[1:]
    try:
        return _content(folder / value[1:])
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from None


def _content(path: Path) -> Any:
    match path.suffix.lower():
        case ".jsonl" | ".ndjson" | ".csv":
            return load_cases(path)
        case ".json":
            return _parsed(path, "JSON", json.loads)
        case ".txt" | ".md":
            return _read(path)
        case _:
            raise ValueError(f"{path.name}: only .jsonl, .csv, .json, .txt and .md files can be named by @")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{path}: is not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror or error}") from None


def _parsed(path: Path, language: str, parse: Callable[[str], Any]) -> Any:
    text = _read(path)
    try:
        return parse(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} line {error.lineno}: not {language}: {error.msg}") from None
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path}: not {language}: {error}") from None


def _jsonl(path: Path) -> list[dict[str, Any]]:
    records = []
    for number, line in enumerate(_read(path).split("\n"), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            raise ValueError(f"{path.name} line {number}: not JSON: {error.msg}") from None
        if not isinstance(record, dict):
            raise ValueError(f'{path.name} line {number}: each line holds one object, such as {{"id": …}}')
        records.append(record)
    return records


def _csv(path: Path) -> list[dict[str, Any]]:
    lines = io.StringIO(
        _read(path), newline=""
    )  # other ends of lines, such as a form feed, belong to their cell
    reader = csv.DictReader(lines, strict=True)
    records: list[dict[str, Any]] = []
    try:
        for row in reader:
            if None in row or None in row.values():
                count = len(reader.fieldnames or ())
                raise ValueError(f"{path.name} line {reader.line_num}: not {count} cells, as the heading has")
            records.append(dict(row))
    except csv.Error as error:
        raise ValueError(f"{path.name} line {reader.line_num}: not CSV: {error}") from None
    return records


def _records(path: Path, value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise ValueError(f"{path.name}: must hold a list of objects")
    for number, record in enumerate(value, 1):
        if not isinstance(record, dict):
            raise ValueError(f"{path.name}: record {number} is not an object")
    return value
