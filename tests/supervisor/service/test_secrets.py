"""Which secrets become credentials of the service."""

from pathlib import Path

import pytest

from supervisor.service.secrets import credentials_of
from supervisor.settings.file import parse_settings
from supervisor.settings.values import CREDENTIALS


def found(config: str, folder: Path, monkeypatch: pytest.MonkeyPatch, **environment: str):
    """Look for the secrets of a gateway's section."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = parse_settings(f"gateway: {{{config}}}", name="understudy.yaml")
    return credentials_of(settings, environment, folder=folder)


def test_a_variable_is_taken_from_the_environment(tmp_path: Path, monkeypatch):
    """And will be kept for root alone."""
    secrets = found("key: {env: KEY}", tmp_path, monkeypatch, KEY="sk-1")
    assert secrets.files == {"KEY": CREDENTIALS / "KEY"}
    assert secrets.written["KEY"].get_secret_value() == "sk-1"
    assert secrets.problems == []


def test_a_variable_that_is_kept_already_need_not_be_set(tmp_path: Path, monkeypatch):
    """An upgrade asks for no key again."""
    monkeypatch.delenv("KEY", raising=False)
    (tmp_path / "KEY").write_text("sk-1")
    secrets = found("key: {env: KEY}", tmp_path, monkeypatch)
    assert (list(secrets.files), secrets.written, secrets.problems) == (["KEY"], {}, [])


def test_a_file_is_read_by_systemd_where_it_is(tmp_path: Path, monkeypatch):
    """Whoever changes it there needs no second place to change."""
    file = tmp_path / "key"
    file.write_text("sk-1")
    secrets = found(f"key: {{file: {file}}}", tmp_path, monkeypatch)
    assert list(secrets.files.values()) == [file]
    assert secrets.problems == []


@pytest.mark.parametrize(
    ("config", "environment", "problem"),
    [
        (
            "key: {env: KEY}",
            {},
            "gateway.key: /etc/understudy/credentials/KEY is not there: sudo install",
        ),
        ("key: {file: /gone}", {}, "gateway.key: the file /gone is not there"),
        ("key: {file: gone}", {}, "gateway.key: the file gone is named without its folder"),
        ("key: {credential: k}", {}, f"gateway.key: {CREDENTIALS / 'k'} is not there"),
        ("key: {env: KEY}", {"KEY": "two words"}, "holds more than a key"),
        (
            "key: {credential: a-b}, admin_key: {file: /a/b}",
            {},
            f"gateway.admin_key: /a/b and {CREDENTIALS / 'a-b'} have one name",
        ),
    ],
)
def test_a_secret_that_is_nowhere_is_named(
    config: str, environment: dict[str, str], problem: str, tmp_path: Path, monkeypatch
):
    """With its setting, before anything is changed."""
    monkeypatch.delenv("KEY", raising=False)
    secrets = found(config, tmp_path, monkeypatch, **environment)
    assert any(problem in each for each in secrets.problems), secrets.problems
