"""What a PBX line may be told. The keys that all lines share (team, policy, …) never come here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, field_validator

from channels.asterisk.tables import SCHEMES
from channels.exchange import ExchangeSettings

_DIAL_FIELDS = {"e164": "", "digits": "", "national": ""}


class Settings(ExchangeSettings):
    """The asterisk channel's own keys of one line; README.md says what each is for."""

    host: str = Field(min_length=1)
    port: int = Field(default=5038, ge=1, le=65535)
    username: str = Field(min_length=1)
    secret: SecretStr
    tls: bool = False
    ca: Path | None = None
    interface: str = Field(default="PJSIP/{extension}", description="how an operator's extension is dialled")
    trunks: tuple[str, ...] = Field(default=(), description="device names that are trunks though they look like phones")
    context: str | None = Field(default=None, description="where clicked numbers are dialled; none = the phone's own")
    dial: str = Field(default="{digits}", description="how an outside number is dialled: {e164}, {digits}, {national}")
    ring_s: float = Field(default=30.0, gt=0, description="how long a click-to-call rings the operator")
    route_agi: str | None = Field(default=None, description="host:port where the dialplan asks by FastAGI")
    recordings: str | None = Field(default=None, description="folder, or an address with {path} in it")
    recordings_user: str = Field(default="", description="to whom the PBX's web server gives them")
    recordings_password: SecretStr | None = None
    keep_recordings: int | None = Field(default=None, ge=1, description='"90 days": older ones are deleted, or hidden')
    recordings_for: Literal["own", "team", "supervisors"] = Field(
        default="team",
        description="whose recordings an operator hears: his own, his teams', none; supervisors hear all",
    )
    voicemail: str | None = Field(default=None, description="folder of the voice mail spool, or an address with {path}")
    cdr: str | None = Field(default=None, repr=False, description="Master.csv, or the address of a database")
    cel: str | None = Field(
        default=None, repr=False, description="the file of cel_custom, or the address of a database"
    )
    queue_log: str | None = Field(default=None, repr=False, description="the file, or the address of a database")
    timeout_s: float = Field(default=10.0, gt=0, description="time limit of one action, and of connecting")
    ping_s: float = Field(default=5.0, gt=0, description="a connection silent for twice as long is dead")
    resync_s: float = Field(default=300.0, gt=0, description="how often the picture is compared with the PBX's")

    @field_validator("cdr", "cel", "queue_log", mode="before")
    @classmethod
    def _file_or_database(cls, value: Any) -> Any:
        """A path, or an address such as `postgresql://…`."""
        if value is None:
            return None
        scheme, mark, _ = str(value).partition("://")
        if mark and scheme not in SCHEMES:
            raise ValueError(f"no such database: {scheme}; there are postgresql, mysql, sqlite")
        return str(value)

    @field_validator("keep_recordings", mode="before")
    @classmethod
    def _days_in_words(cls, value: Any) -> Any:
        """`"90 days"`."""
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        found = re.fullmatch(r"\s*(\d{1,5})\s*days?\s*", str(value))
        if found is None:
            raise ValueError('write it like "90 days"')
        return int(found[1])

    @field_validator("interface")
    @classmethod
    def _interface_has_its_place(cls, value: str) -> str:
        if value.count("{extension}") != 1 or "/" not in value:
            raise ValueError('write it like "PJSIP/{extension}"')
        return value

    @field_validator("dial")
    @classmethod
    def _dial_is_a_template(cls, value: str) -> str:
        try:
            dialled = value.format_map(_DIAL_FIELDS)
        except (KeyError, ValueError, IndexError, AttributeError):
            raise ValueError("may name {e164}, {digits} or {national}, nothing else") from None
        if dialled == value:
            raise ValueError("names none of {e164}, {digits}, {national}")
        return value

    @field_validator("route_agi")
    @classmethod
    def _address_has_a_port(cls, value: str | None) -> str | None:
        if value is not None and not value.rpartition(":")[2].isdecimal():
            raise ValueError('write it like "127.0.0.1:4573"')
        return value

    def records(self) -> dict[str, str]:
        """Where the PBX writes down what happened: kind -> file or address."""
        given = {"cdr": self.cdr, "cel": self.cel, "queue_log": self.queue_log}
        return {kind: source for kind, source in given.items() if source}

    def agi_address(self) -> tuple[str, int] | None:
        """Where the FastAGI server listens, if it shall."""
        if self.route_agi is None:
            return None
        host, _, port = self.route_agi.rpartition(":")
        return host.strip("[]") or "127.0.0.1", int(port)
