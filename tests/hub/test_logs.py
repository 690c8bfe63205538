"""Logs tell what happened, and no secret."""

import json

import pytest
import structlog

from hub.logs import hide_secrets, set_up_logs


def test_secrets_are_blanked_however_deep() -> None:
    event = {"event": "x", "password": "p", "imap": {"smtp_password": "q", "host": "h"}, "api_token": "t", "line": "l"}
    hidden = hide_secrets(None, "info", event)
    assert hidden == {
        "event": "x",
        "password": "…",
        "imap": {"smtp_password": "…", "host": "h"},
        "api_token": "…",
        "line": "l",
    }


def test_json_goes_to_stderr_one_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs("json", "info")
    structlog.get_logger().info("приём", line="mail", secret="s")
    structlog.get_logger().debug("not told")
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    told = json.loads(line)
    assert (told["event"], told["line"], told["secret"], told["level"]) == ("приём", "mail", "…", "info")
    assert told["timestamp"].endswith("Z")
    assert "приём" in line
    structlog.reset_defaults()
