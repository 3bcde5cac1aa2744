"""Settings are checked when they are read, frozen afterwards, and print no secret."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from chaos.errors import UsageError
from supervisor.settings.model import (
    DEFAULT_FILE,
    DrillSettings,
    Settings,
    WitnessSettings,
    settings_path,
)
from supervisor.settings.values import Secret


def test_nothing_needs_to_be_written():
    """Every setting has a safe default: no money, canary keys, loopback only."""
    settings = Settings()
    assert (settings.drills.budget_usd, settings.drills.real_keys) == (0.0, False)
    assert settings.witness.listen == ("127.0.0.1:8941",)


@pytest.mark.parametrize(
    ("raw", "url"),
    [
        ({}, "http://127.0.0.1:8941"),
        ({"listen": ["127.0.0.1:9000", "172.17.0.1:8941"]}, "http://127.0.0.1:9000"),
        ({"listen": ["0.0.0.0:9000"]}, "http://127.0.0.1:9000"),
        ({"listen": ["[::]:9000"]}, "http://[::1]:9000"),
        ({"listen": ["172.17.0.1:9000"]}, "http://172.17.0.1:9000"),
        ({"listen": ["127.0.0.1:0"]}, "http://127.0.0.1:8941"),
        ({"listen": ["127.0.0.1:9000"], "url": "http://host:1"}, "http://host:1"),
    ],
)
def test_the_witness_is_dialled_where_it_listens(raw, url):
    """Where it is has to be said only once; LiteLLM would get no answer at the other port."""
    assert WitnessSettings.model_validate(raw).url == url


def test_settings_cannot_be_changed():
    """What runs is what was read."""
    with pytest.raises(ValidationError):
        Settings().drills.real_keys = True  # type: ignore[misc]


@pytest.mark.parametrize("places", [{}, {"env": "A", "file": "/b"}])
def test_a_secret_is_in_exactly_one_place(places):
    """Neither nowhere nor in two."""
    with pytest.raises(ValidationError, match="exactly one of"):
        Secret.model_validate(places)


def test_a_secret_is_fetched_where_it_is_and_cannot_be_printed(monkeypatch, tmp_path: Path):
    """White space around it is not part of it."""
    monkeypatch.setenv("THE_KEY", " sk-secret\n")
    (tmp_path / "key").write_text("sk-secret\n")
    for secret in (Secret(env="THE_KEY"), Secret(file=tmp_path / "key")):
        revealed = secret.reveal()
        assert revealed.get_secret_value() == "sk-secret"
        assert "sk-secret" not in f"{secret!r} {revealed} {revealed!r}"


def test_a_file_in_the_home_folder_may_be_named_as_such(monkeypatch, tmp_path: Path):
    """``~`` is no folder of the working directory."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "key").write_text("sk-home")
    assert Secret(file=Path("~/key")).reveal().get_secret_value() == "sk-home"


def test_what_is_no_key_is_refused_and_not_repeated(monkeypatch):
    """Header injection ends here, not in an HTTP library's traceback."""
    monkeypatch.setenv("THE_KEY", "sk-secret\r\nX-Admin: yes")
    with pytest.raises(UsageError, match="more than a key") as caught:
        Secret(env="THE_KEY").reveal()
    assert "sk-secret" not in caught.value.message


def test_a_key_given_as_the_name_of_its_variable_is_not_repeated():
    """``--key-env sk-…`` is an easy slip; the message must not spread it."""
    with pytest.raises(UsageError) as caught:
        Secret(env="sk-secret").reveal()
    assert "not the key itself" in caught.value.remedy
    assert "sk-secret" not in caught.value.message + caught.value.remedy


@pytest.mark.parametrize("address", ["8941", ":8941", "host:", "host:http", "host:70000"])
def test_an_address_has_a_host_and_a_port(address):
    """Anything else would fail later and elsewhere."""
    with pytest.raises(ValidationError):
        WitnessSettings(listen=(address,))


@pytest.mark.parametrize(
    "values", [{"deadline_s": 0}, {"concurrency": 5}, {"concurrency": 0}, {"budget_usd": -1}]
)
def test_limits_are_limits(values):
    """There are four lanes, and no negative money."""
    with pytest.raises(ValidationError):
        DrillSettings.model_validate(values)


def test_the_file_that_is_named_counts_before_the_environment(monkeypatch):
    """Option, then $UNDERSTUDY_CONFIG, then the default where it exists."""
    monkeypatch.setenv("UNDERSTUDY_CONFIG", "/from/environment")
    assert settings_path(Path("/given")) == Path("/given")
    assert settings_path(None) == Path("/from/environment")
    monkeypatch.delenv("UNDERSTUDY_CONFIG")
    assert settings_path(None) == (DEFAULT_FILE if DEFAULT_FILE.is_file() else None)
