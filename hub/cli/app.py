"""Puts the commands together, and says every fault of the user's in one line on stderr."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from hub.cli.check import check
from hub.cli.deadline import deadline
from hub.cli.demo import demo
from hub.cli.explain import explain
from hub.cli.export import export
from hub.cli.failure import explain_failure
from hub.cli.hand_over import hand_over
from hub.cli.imports import import_files
from hub.cli.new_channel import new_channel
from hub.cli.rebuild import rebuild
from hub.cli.rehearse import rehearse
from hub.cli.replay import replay
from hub.cli.retire import retire
from hub.cli.run import listen, run, serve, work
from hub.cli.sign_in import sign_in
from hub.cli.token import token

app = typer.Typer(
    name="touchline",
    help="A hub for contact centres: every call, mail, message and form in one log, and every promise kept on a clock.",
    epilog="Settings come from touchline.toml or TOUCHLINE_HOME, TOUCHLINE_DATABASE_URL, TOUCHLINE_REDIS_URL, "
    "TOUCHLINE_LISTEN. Begin with: touchline run --sample",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_RUNNING = "Running it"
_SETUP = "Setting it up"
_ASKING = "Asking it"

app.command(rich_help_panel=_RUNNING)(run)
app.command(rich_help_panel=_RUNNING)(demo)
app.command(rich_help_panel=_RUNNING)(serve)
app.command(rich_help_panel=_RUNNING)(listen)
app.command(rich_help_panel=_RUNNING)(work)
app.command("import", rich_help_panel=_SETUP)(import_files)
app.command(rich_help_panel=_SETUP)(export)
app.command(rich_help_panel=_SETUP)(retire)
app.command("hand-over", rich_help_panel=_SETUP)(hand_over)
app.command(rich_help_panel=_SETUP)(token)
app.command("new-channel", rich_help_panel=_SETUP)(new_channel)
app.command("sign-in", rich_help_panel=_SETUP)(sign_in)
app.command(rich_help_panel=_ASKING)(check)
app.command(rich_help_panel=_ASKING)(deadline)
app.command(rich_help_panel=_ASKING)(explain)
app.command(rich_help_panel=_ASKING)(rehearse)
app.command(rich_help_panel=_ASKING)(rebuild)
app.command(rich_help_panel=_ASKING)(replay)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit: 0 = done, 1 = it could not be done, 2 = it was asked wrongly."""
    try:
        app(args=list(arguments) if arguments is not None else None, prog_name="touchline")
    except (KeyboardInterrupt, BrokenPipeError):
        sys.exit(130)
    except Exception as error:
        code, lines = explain_failure(error)
        if code is None:
            raise
        for line in lines:
            typer.echo(f"touchline: {line}", err=True)
        sys.exit(code)
