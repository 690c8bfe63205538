"""`touchline retire`."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.cli.failure import Failure
from hub.cli.home import open_home, who


def retire(
    kind: Annotated[str, typer.Argument(help="line, form, operator, team, calendar, regulation or route.")],
    key: Annotated[str, typer.Argument(help="Its key, as in [line.KEY].")],
) -> None:
    """Switch one thing of the set-up off. Its history stays; importing it again brings it back."""
    from hub.setup import definition
    from hub.setup.kinds import COMPANY, READERS
    from hub.setup.problem import suggest

    kinds = [known for known in READERS if known != COMPANY]
    if kind not in kinds:
        raise Failure(f"a set-up has no {kind!r}", suggest(kind, kinds), code=2)
    with open_home() as (_, store):
        if not store.write_now(lambda unit: definition.retire(unit, kind, key, who())):
            last = definition.newest(store.read_now(definition.read_versions))
            alive = [one for (its, one), row in last.items() if its == kind and not row.retired]
            raise Failure(f"there is no {kind} {key!r} to retire", suggest(key, alive))
    typer.echo(f"retired {kind}.{key}", err=True)
