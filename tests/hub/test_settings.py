"""Process settings come from variables and one file; what nobody knows is refused by name."""

import re
from pathlib import Path

import pytest

from hub.settings import MissingSecret, Settings, SettingsError, load_settings, resolve_secrets, split_address


def test_defaults(tmp_path: Path) -> None:
    settings = load_settings({}, tmp_path)
    assert settings.home == Path("var")
    assert settings.database == f"sqlite:///{Path('var').absolute()}/touchline.db"
    assert (settings.host, settings.port, settings.address) == ("127.0.0.1", 8080, "http://127.0.0.1:8080")
    assert settings.redis_url is None


def test_variables_beat_the_file(tmp_path: Path) -> None:
    (tmp_path / "touchline.toml").write_text('listen = "0.0.0.0:1"\ndatabase_url = "postgresql://x/y"\n')
    settings = load_settings({"TOUCHLINE_LISTEN": "[::1]:9", "PATH": "x"}, tmp_path)
    assert settings.database == "postgresql://x/y"
    assert (settings.host, settings.port, settings.address) == ("::1", 9, "http://[::1]:9")


def test_the_file_may_lie_in_the_home(tmp_path: Path) -> None:
    (tmp_path / "h").mkdir()
    (tmp_path / "h" / "touchline.toml").write_text('trusted_proxies = ["10.0.0.0/8"]\n')
    settings = load_settings({"TOUCHLINE_HOME": str(tmp_path / "h")}, tmp_path)
    assert settings.trusted_proxies == ("10.0.0.0/8",)
    assert settings.home == tmp_path / "h"


@pytest.mark.parametrize(
    ("variables", "file", "says"),
    [
        ({"TOUCHLINE_FOO": "1"}, "", "TOUCHLINE_FOO: no such setting. Known are"),
        ({"TOUCHLINE_LISTN": "1"}, "", "TOUCHLINE_LISTN: no such setting. Did you mean TOUCHLINE_LISTEN?"),
        ({}, "databse_url = 'x'", "databse_url: no such setting. Did you mean database_url?"),
        ({}, "listen = ", "touchline.toml: Invalid value"),
        ({"TOUCHLINE_LISTEN": "8080"}, "", "TOUCHLINE_LISTEN: write host:port"),
        ({}, "listen = '1:99999'", "touchline.toml: listen: write host:port"),
        ({"TOUCHLINE_LOG_FORMAT": "xml"}, "", "TOUCHLINE_LOG_FORMAT: "),
        ({"TOUCHLINE_TRUSTED_PROXIES": "10.0.0.0/8, x"}, "", "TOUCHLINE_TRUSTED_PROXIES: "),
        ({"TOUCHLINE_PUBLIC_URL": "desk.example"}, "", "TOUCHLINE_PUBLIC_URL: begins with http"),
    ],
)
def test_what_is_wrong_is_named(variables: dict[str, str], file: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "touchline.toml").write_text(file)
    with pytest.raises(SettingsError) as caught:
        load_settings(variables, tmp_path)
    assert says in str(caught.value)


def test_variables_for_secrets_of_lines_are_free(tmp_path: Path) -> None:
    assert load_settings({"TOUCHLINE_LINE_MAIL_PASSWORD": "x"}, tmp_path) == load_settings({}, tmp_path)


def test_every_setting_is_documented(tmp_path: Path) -> None:
    assert all(field.description for field in Settings.model_fields.values())
    text = (Path(__file__).parents[2] / "examples" / "touchline.toml").read_text(encoding="utf-8")
    for name in Settings.model_fields:
        assert re.search(rf"^(# )?{name} = ", text, re.MULTILINE), name
    (tmp_path / "touchline.toml").write_text(text, encoding="utf-8")
    assert load_settings({}, tmp_path) == Settings()
    (tmp_path / "touchline.toml").write_text(re.sub(r"^# (\w+ = )", r"\1", text, flags=re.MULTILINE), encoding="utf-8")
    assert load_settings({}, tmp_path).public_url == "https://desk.example.org"


def test_the_key_is_made_once_and_is_private(tmp_path: Path) -> None:
    home = tmp_path / "home"
    first = Settings(home=home).secret
    assert len(first) == 32
    assert Settings(home=home).secret == first
    assert (home / "secret.key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in home.iterdir()] == ["secret.key"]
    assert Settings.model_validate({"home": home, "secret_key": "shared"}).secret == b"shared"
    assert "shared" not in repr(Settings.model_validate({"secret_key": "shared"}))


def test_references_are_followed_deeply(tmp_path: Path) -> None:
    (tmp_path / "p").write_text("file\r\n")
    body = {"a": [{"b": {"env": "X"}}, {"file": "p"}], "c": {"env": "X", "more": 1}}
    assert resolve_secrets(body, tmp_path, {"X": "value"}) == {
        "a": [{"b": "value"}, "file"],
        "c": {"env": "X", "more": 1},
    }
    with pytest.raises(MissingSecret, match="variable Y is not set") as caught:
        resolve_secrets({"env": "Y"}, tmp_path, {})
    assert "set Y" in caught.value.remedy


def test_addresses() -> None:
    assert split_address(":80") == ("0.0.0.0", 80)
    with pytest.raises(ValueError, match="host:port"):
        split_address("localhost")
