"""The document is proved against the API that it describes, by generated calls good and bad."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from hub.actions import interactions, tasks, writing
from hub.actions.interactions import HandMade
from hub.actions.tasks import NewTask
from hub.actions.writing import Letter
from hub.api.call import operations
from hub.api.routes import document
from tests.hub.api.caller import Caller
from tests.hub.office import ANNA, OLGA, Office

# A value may fit the schema and still name nobody: then 422 says so. What stands in a wrong state is 409.
SETTINGS = """
[checks]
positive_data_acceptance.expected-statuses = ["2xx", 401, 403, 404, 409, 415, 422]
negative_data_rejection.expected-statuses = [400, 401, 403, 404, 405, 406, 409, 413, 415, 422]
"""


def live_a_little(office: Office) -> None:
    """Something of everything, so that generated numbers meet real things."""
    came = office.mail()
    office.mail(who=OLGA)
    office.mail("спам", suspicion="too quick")
    office.send(
        office.act(writing.reply, came["conversation_id"], ANNA, Letter("Ответ", attachments=(office.upload(),)))
    )
    office.act(interactions.log_by_hand, ANNA, HandMade(kind="call", client=came["client_id"]))
    office.act(tasks.make, ANNA, NewTask("Позвонить", client=came["client_id"]))


# What is generated is the same for both databases, which the contract's tests hold to one behaviour.
@pytest.mark.timeout(400)
@pytest.mark.parametrize("office", ["sqlite"], indirect=True)
async def test_generated_calls_find_no_lie_in_the_document(caller: Caller, office: Office, tmp_path: Path) -> None:
    live_a_little(office)
    caller.become("admin")
    settings = tmp_path / "schemathesis.toml"
    settings.write_text(SETTINGS)
    arguments = [
        *("--config-file", str(settings), "run", f"{caller.address}/api/openapi.json"),
        *("--header", f"Authorization: Bearer {caller.token}", "--checks", "all", "--max-examples", "12"),
        *("--phases", "examples,coverage,fuzzing", "--seed", "1", "--generation-database", "none", "--no-color"),
        *("--suppress-health-check", "all", "--continue-on-failure", "--request-timeout", "10"),
    ]
    program = Path(sys.executable).with_name("schemathesis")
    environment = {**os.environ, "PYTHONWARNINGS": "ignore", "COLUMNS": "200"}
    running = await asyncio.create_subprocess_exec(
        program,
        *arguments,
        cwd=tmp_path,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await running.communicate()
    assert running.returncode == 0, said.decode()[-12_000:]


def test_every_operation_is_described_with_its_types() -> None:
    found = json.loads(document())
    assert len(operations()) == sum(len(methods) for methods in found["paths"].values())
    for path, methods in found["paths"].items():
        for method, one in methods.items():
            assert one["description"] and one["summary"], (method, path)
            assert {"401", "422"} <= set(one["responses"]), (method, path)
            assert method == "get" or "403" in one["responses"], (method, path)
    names = [one["operationId"] for methods in found["paths"].values() for one in methods.values()]
    assert len(names) == len(set(names))


def test_every_reference_leads_somewhere() -> None:
    text = document()
    known = set(json.loads(text)["components"]["schemas"])
    wanted = {piece.partition('"')[0] for piece in text.split("#/components/schemas/")[1:]}
    assert wanted <= known
