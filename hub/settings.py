"""Settings of the process: where its home is, which database, where it listens. The only reader of the environment.

They come from `TOUCHLINE_*` variables and from `touchline.toml` (in the current folder, else in the home); a variable
beats the file. An unknown key in either is an error. What the business configures is not here but in the set-up.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

PREFIX = "TOUCHLINE_"
FILE_NAME = "touchline.toml"
LINE_SECRETS = f"{PREFIX}LINE_"
"""Variables that begin so are free for the secrets of lines: `password = { env = "TOUCHLINE_LINE_MAIL_PASSWORD" }`."""

_REFERENCES = ("env", "file")


class SettingsError(Exception):
    """The process is set up wrongly; the text says where, and what to do."""


class MissingSecret(Exception):
    """A secret that the set-up only points to is not there; the line needs a person."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


class Settings(BaseSettings):
    """Frozen; made once by `load_settings` and handed down."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    home: Path = Field(default=Path("var"), description="folder of the database, attachments and the signing key")
    database_url: str = Field(
        default="", description="sqlite:///PATH or postgresql://…; empty = touchline.db in the home"
    )
    redis_url: str | None = Field(default=None, description="redis://…: live bus and doorbell between processes")
    listen: str = Field(default="127.0.0.1:8080", description="host:port of the web server")
    probes: str | None = Field(
        default=None, description="host:port where listeners and workers answer /healthz, /readyz and /metrics"
    )
    public_url: str | None = Field(default=None, description="how people reach us, when it is not http://LISTEN")
    trusted_proxies: tuple[str, ...] = Field(
        default=(), description="networks whose X-Forwarded-For is believed, e.g. 10.0.0.0/8"
    )
    secret_key: SecretStr | None = Field(
        default=None, description="signing key shared by several machines; else secret.key in the home"
    )
    log_format: Literal["auto", "json", "console"] = Field(default="auto", description="auto, json or console")
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="what is logged at all")

    @field_validator("listen", "probes")
    @classmethod
    def _check_listen(cls, value: str | None) -> str | None:
        if value:
            split_address(value)
        return value or None

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _check_proxies(cls, value: Any) -> Any:
        found = [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else list(value)
        for network in found:
            ipaddress.ip_network(network, strict=False)
        return tuple(found)

    @field_validator("public_url")
    @classmethod
    def _check_public_url(cls, value: str | None) -> str | None:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("begins with http:// or https://")
        return value.rstrip("/") if value else None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """`load_settings` has read the sources already, so that an error can name its own."""
        return (init_settings,)

    @property
    def host(self) -> str:
        """Where the web server listens."""
        return split_address(self.listen)[0]

    @property
    def port(self) -> int:
        """Where the web server listens; 0 = any free port."""
        return split_address(self.listen)[1]

    @property
    def database(self) -> str:
        """The database URL, with the default filled in."""
        return self.database_url or f"sqlite:///{self.home.absolute() / 'touchline.db'}"

    @property
    def files(self) -> Path:
        """The folder of attachments and large raw touches."""
        return self.home / "files"

    @property
    def address(self) -> str:
        """The web address as this process knows it, without a slash at the end."""
        if self.public_url:
            return self.public_url
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)  # noqa: S104
        return f"http://{f'[{host}]' if ':' in host and not host.startswith('[') else host}:{self.port}"

    @property
    def secret(self) -> bytes:
        """The signing key of this home; made on first use."""
        from hub.access.keys import load_key

        if self.secret_key is not None:
            return self.secret_key.get_secret_value().encode()
        return load_key(self.home)


def load_settings(environment: Mapping[str, str] | None = None, folder: Path | None = None) -> Settings:
    """Read `TOUCHLINE_*` and `touchline.toml`. Raises `SettingsError` with one line per fault."""
    variables = _read_variables(os.environ if environment is None else environment)
    beside = (folder or Path.cwd()) / FILE_NAME
    values, file = _read_file(beside)
    if file is None:
        home = Path(variables.get("home", Settings.model_fields["home"].default))
        values, file = _read_file((folder or Path.cwd()) / home / FILE_NAME)
    try:
        return Settings(**{**values, **variables})
    except ValidationError as error:
        raise SettingsError("\n".join(_tell(error, variables, file))) from None


def environment() -> Mapping[str, str]:
    """The variables of this process."""
    return os.environ


def split_address(text: str) -> tuple[str, int]:
    """`host:port`, `[::1]:port` or `:port`. Raises `ValueError`."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535:
        raise ValueError("write host:port, for example 127.0.0.1:8080")
    return host.strip("[]") or "0.0.0.0", int(port)  # noqa: S104


def resolve_secrets(value: Any, home: Path, environment: Mapping[str, str] | None = None) -> Any:
    """Replace every `{ env = "X" }` and `{ file = "P" }` by what it points to. Raises `MissingSecret`.

    A relative file is looked for in the home; one line end at its end does not count.
    """
    variables = os.environ if environment is None else environment
    if is_reference(value):
        return _follow(value, home, variables)
    if isinstance(value, dict):
        return {key: resolve_secrets(inner, home, variables) for key, inner in value.items()}
    if isinstance(value, list):
        return [resolve_secrets(inner, home, variables) for inner in value]
    return value


def is_reference(value: Any) -> bool:
    """True for `{ env = "X" }` and `{ file = "P" }`."""
    if not isinstance(value, dict) or len(value) != 1:
        return False
    ((key, target),) = value.items()
    return key in _REFERENCES and isinstance(target, str)


def _follow(reference: dict[str, str], home: Path, variables: Mapping[str, str]) -> str:
    if "env" in reference:
        name = reference["env"]
        if not (found := variables.get(name)):
            raise MissingSecret(
                f"the variable {name} is not set", f"set {name} for the hub's process and start it again"
            )
        return found
    path = home / reference["file"]
    try:
        return path.read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise MissingSecret(
            f"the secret file {path} cannot be read: {reason}", "put the secret there, readable by the hub's user"
        ) from None


def _read_variables(environment: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    faults = []
    for name, value in sorted(environment.items()):
        if not name.startswith(PREFIX) or name.startswith(LINE_SECRETS):
            continue
        field = name.removeprefix(PREFIX).lower()
        if field not in Settings.model_fields:
            faults.append(f"{name}: no such setting. {_suggest(field, Settings.model_fields, PREFIX)}")
        elif value != "":
            found[field] = value
    if faults:
        raise SettingsError("\n".join(faults))
    return found


def _read_file(path: Path) -> tuple[dict[str, Any], Path | None]:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}, None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from None
    unknown = [key for key in values if key not in Settings.model_fields]
    if unknown:
        raise SettingsError(
            "\n".join(f"{path}: {key}: no such setting. {_suggest(key, Settings.model_fields)}" for key in unknown)
        )
    return values, path


def _suggest(word: str, known: Iterable[str], prefix: str = "") -> str:
    names = list(known)
    near = difflib.get_close_matches(word.lower(), names, n=1, cutoff=0.6)
    shown = [f"{prefix}{name.upper() if prefix else name}" for name in (near or names)]
    return f"Did you mean {shown[0]}?" if near else f"Known are {', '.join(shown)}."


def _tell(error: ValidationError, variables: Mapping[str, str], file: Path | None) -> list[str]:
    lines = []
    for fault in error.errors():
        field = str(fault["loc"][0]) if fault["loc"] else ""
        source = f"{PREFIX}{field.upper()}" if field in variables else f"{file}: {field}"
        lines.append(f"{source}: {fault['msg'].removeprefix('Value error, ')}")
    return lines
