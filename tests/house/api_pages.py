"""What the SDK and the contracts say of themselves."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any

from pilothouse import contracts as plugs
from pilothouse.sdk import kind as declared
from pilothouse.sdk import panels as vocabulary
from pilothouse.sdk import signals as unwinding
from pilothouse.sdk.done import Done
from pilothouse.sdk.handle import RunHandle
from tests.house.markup import code, first_line, section, summary, table

LINE = 100


def panel_types() -> list[type[vocabulary.Panel]]:
    """Every panel a kind may declare."""
    named = [each for each in vars(vocabulary).values() if inspect.isclass(each)]
    return [each for each in named if issubclass(each, vocabulary.Panel) and each is not vocabulary.Panel]


def panels() -> str:
    """The vocabulary of panels."""
    rows = []
    for panel in panel_types():
        fields = [field.name for field in dataclasses.fields(panel) if field.name != "title"]
        rows.append((code(panel.__name__), first_line(panel), " ".join(code(name) for name in fields)))
    return table(("panel", "draws", "fields beside `title`"), rows)


def declarations() -> str:
    """The classes a declaration is made of."""
    classes = [
        declared.Kind,
        declared.Column,
        declared.Metric,
        *panel_types(),
        declared.Example,
        declared.Extra,
    ]
    return "\n\n".join(_dataclass(each) for each in classes)


def _dataclass(each: type[Any]) -> str:
    told = section(each, "Attributes")
    rows = []
    for field in dataclasses.fields(each):
        default = "required" if _is_required(field) else code(repr(_value(field)).replace("'", '"'))
        rows.append((code(field.name), code(_annotation(field.type)), default, told.get(field.name, "")))
    return f"### {each.__name__}\n\n{first_line(each)}\n\n" + table(("field", "type", "default", ""), rows)


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _value(field: dataclasses.Field[Any]) -> Any:
    factory = field.default_factory
    return field.default if factory is dataclasses.MISSING else factory()


def _annotation(annotation: Any) -> str:
    return annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))


def handle() -> str:
    """The handle's attributes and methods."""
    attributes = section(RunHandle, "Attributes")
    parts = [table(("attribute", "meaning"), [(f"`run.{name}`", text) for name, text in attributes.items()])]
    for name in handle_methods():
        parts.append(_function(f"run.{name}", getattr(RunHandle, name)))
    rows = [(code(name), text) for name, text in section(Done, "Attributes").items()]
    parts.append(
        f"### `Done`\n\n{first_line(Done)}\n\n"
        + table(("attribute", "meaning"), [(code(n), t) for n, t in rows])
    )
    return "\n\n".join(parts)


def handle_methods() -> list[str]:
    """The public methods of the handle."""
    return [name for name, value in vars(RunHandle).items() if inspect.isfunction(value) and name[0] != "_"]


def signals() -> str:
    """What unwinds a job."""
    classes = [
        each for each in vars(unwinding).values() if inspect.isclass(each) and issubclass(each, BaseException)
    ]
    rows = [(code(each.__name__), code(each.__mro__[1].__name__), first_line(each)) for each in classes]
    return table(("class", "is a", "means"), rows)


def contracts() -> str:
    """The three contracts."""
    parts = []
    for contract in (plugs.Store, plugs.Bus, plugs.Executor):
        parts.append(f"## {contract.__name__}\n\n{summary(contract)}")
        for name, value in vars(contract).items():
            if inspect.isfunction(value) and name[0] != "_":
                parts.append(_function(name, value))
    return "\n\n".join(parts)


def _function(name: str, function: Any) -> str:
    parts = [f"### {name}", f"```text\n{_call(name, function)}\n```", summary(function)]
    arguments = section(function, "Args")
    if arguments:
        parts.append(table(("argument", "meaning"), [(code(n), t) for n, t in arguments.items()]))
    raised = section(function, "Raises")
    if raised:
        parts.append("Raises: " + " ".join(f"{code(n)}: {t}" for n, t in raised.items()))
    return "\n\n".join(parts)


def _call(name: str, function: Any) -> str:
    """The signature, on one line where it fits, else one argument a line."""
    signature = inspect.signature(function)
    parameters = [each for each in signature.parameters.values() if each.name != "self"]
    prefix = "await " if inspect.iscoroutinefunction(function) else ""
    line = prefix + name + str(signature.replace(parameters=parameters)).replace("'", "")
    if len(line) <= LINE:
        return line
    shown, is_by_name = [], False
    for each in parameters:
        if each.kind is each.KEYWORD_ONLY and not is_by_name:
            is_by_name = True
            shown.append("*")
        shown.append(str(each).replace("'", ""))
    returned = str(signature.return_annotation).replace("'", "")
    return f"{prefix}{name}(\n" + "".join(f"    {each},\n" for each in shown) + f") -> {returned}"
