"""What the command line says of itself."""

from __future__ import annotations

import typer
import typer.main

from pilothouse.cli.main import app
from tests.house.markup import code, table


def group() -> typer.core.TyperGroup:
    """The `pilothouse` command."""
    found = typer.main.get_command(app)
    assert isinstance(found, typer.core.TyperGroup)
    return found


def options_of(command: object) -> list[str]:
    """Every spelling of a command's options, without `--help`."""
    return [
        name for param in _params(command) if param.param_type_name == "option" for name in _spellings(param)
    ]


def _params(command: object) -> list[typer.core.TyperArgument | typer.core.TyperOption]:
    params: list[typer.core.TyperArgument | typer.core.TyperOption] = getattr(command, "params", [])
    return params


def _spellings(param: typer.core.TyperArgument | typer.core.TyperOption) -> list[str]:
    return [*param.opts, *param.secondary_opts]


def commands() -> str:
    """Every command with its arguments and options."""
    root = group()
    parts = ["## pilothouse", "Before the command:", _table(root)]
    for name, command in root.commands.items():
        usage = [f"pilothouse {name}", *(_usage(param) for param in _params(command))]
        help_ = (command.help or "").strip()
        parts += [f"## pilothouse {name}", help_, f"`{' '.join(filter(None, usage))}`", _table(command)]
    return "\n\n".join(part for part in parts if part)


def _usage(param: typer.core.TyperArgument | typer.core.TyperOption) -> str:
    if param.param_type_name == "option":
        return ""
    name = (param.name or "").upper() + ("…" if param.nargs == -1 else "")
    return name if param.required else f"[{name}]"


def _table(command: object) -> str:
    rows = []
    for param in _params(command):
        if param.param_type_name == "argument":
            shown = code((param.name or "").upper())
        else:
            shown = " ".join(code(name) for name in _spellings(param))
        variable = f" Also by `{param.envvar}`." if param.envvar else ""
        default = ""
        if param.param_type_name == "option" and param.default not in (None, False, True, [], ()):
            default = f" Default: `{param.default}`."
        rows.append((shown, (getattr(param, "help", None) or "") + default + variable))
    return table(("option", "meaning"), rows) if rows else ""
