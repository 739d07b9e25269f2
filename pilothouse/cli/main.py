"""`pilothouse`: start, watch and steer runs from a terminal.

Everything heavy is imported by the command that needs it: any command answers
in 0.3 s plus the server's time.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from pilothouse.cli import backup, demo, files, hosts, judge, new_kind, read, stack, start, steer, up
from pilothouse.cli.client import INTERRUPTED, Client, CliError
from pilothouse.cli.output import put, say, write_what_the_terminal_can
from pilothouse.version import __version__

app = typer.Typer(
    name="pilothouse",
    help="Watch any long AI job live and steer it: pause, resume, cancel. Nothing is lost.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module in (up, demo, start, read, files, judge, steer, hosts, stack, backup, new_kind):
    module.register(app)


def _version(asked: bool) -> None:
    if asked:
        put(__version__)
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    server: Annotated[
        str | None, typer.Option(help="Address of the server.", envvar="PILOTHOUSE_SERVER")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Data folder.", envvar="PILOTHOUSE_DATA")] = None,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True)] = False,
) -> None:
    """Watch any long AI job live and steer it: pause, resume, cancel. Nothing is lost."""
    context.obj = client = Client(server, data)
    context.call_on_close(client.close)


def main() -> None:
    """The console script's entry: errors become words and exit codes."""
    write_what_the_terminal_can()
    try:
        app()
    except CliError as error:
        sign = "✕" if (sys.stderr.encoding or "").lower().startswith("utf") else "x"
        say(f"{sign} {error.lines[0]}")
        for line in error.lines[1:]:
            say(f"  {line}")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)


if __name__ == "__main__":
    main()
