"""The API's token: the configured one, else a random one beside the store."""

import stat

import pytest
from sqlalchemy import URL

from chaos.errors import UsageError
from supervisor.settings.daemon import WebSettings
from supervisor.settings.values import Secret
from supervisor.store.location import parse_url
from supervisor.web.token import known_token, own_token, token_file

UNSET = WebSettings()


@pytest.fixture
def url(tmp_path) -> URL:
    """A store in a folder that does not exist yet."""
    return parse_url(str(tmp_path / "state" / "understudy.db"))


def test_the_token_file_is_beside_the_store(url, tmp_path):
    """The folder is that of the SQLite file."""
    assert token_file(url) == tmp_path / "state" / "api-token"


def test_with_a_database_server_the_token_file_is_in_the_state_folder(tmp_path, monkeypatch):
    """A store without a file of its own leaves the token in this user's state directory."""
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    assert token_file(parse_url("postgresql://me@db/understudy")) == tmp_path / "api-token"


def test_a_new_token_is_written_for_its_owner_only(url):
    """Neither the file nor the folder that is made for it can be read by others."""
    token = own_token(UNSET, url).get_secret_value()
    file = token_file(url)
    assert file.read_text() == f"{token}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_new_token_cannot_be_guessed(tmp_path):
    """Two daemons have different tokens of 32 random bytes."""
    first, second = (
        own_token(UNSET, parse_url(str(tmp_path / name / "a.db"))).get_secret_value()
        for name in ("one", "two")
    )
    assert first != second
    assert min(len(first), len(second)) >= 43


def test_the_token_survives_a_restart(url):
    """The second start uses the token that the first one wrote, and so does the command line."""
    token = own_token(UNSET, url)
    assert own_token(UNSET, url) == token
    assert known_token(UNSET, url) == token


def test_before_the_first_start_there_is_no_token(url):
    """Asking for the token does not write one."""
    assert known_token(UNSET, url) is None
    assert not token_file(url).parent.exists()


def test_a_configured_token_takes_the_place_of_the_written_one(url, monkeypatch):
    """The setting is used even where a token was written before."""
    own_token(UNSET, url)
    monkeypatch.setenv("WEB_TOKEN", "configured")
    settings = WebSettings(token=Secret(env="WEB_TOKEN"))
    assert own_token(settings, url).get_secret_value() == "configured"
    assert known_token(settings, url) == own_token(settings, url)


def test_with_a_configured_token_none_is_written(url, monkeypatch):
    """A token that is not needed is not left on the disk."""
    monkeypatch.setenv("WEB_TOKEN", "configured")
    own_token(WebSettings(token=Secret(env="WEB_TOKEN")), url)
    assert not token_file(url).exists()


@pytest.mark.parametrize("find", [own_token, known_token])
def test_a_configured_token_that_is_missing_is_an_error(url, monkeypatch, find):
    """A missing variable is named, and no random token takes its place."""
    monkeypatch.delenv("WEB_TOKEN", raising=False)
    with pytest.raises(UsageError, match="WEB_TOKEN"):
        find(WebSettings(token=Secret(env="WEB_TOKEN")), url)
    assert not token_file(url).exists()


def test_a_token_that_cannot_be_written_names_the_file(tmp_path):
    """A folder that cannot be made is an error with the setting as a way out."""
    (tmp_path / "file").write_text("")
    url = parse_url(str(tmp_path / "file" / "understudy.db"))
    with pytest.raises(UsageError, match="cannot be") as caught:
        own_token(UNSET, url)
    assert str(token_file(url)) in caught.value.message
    assert "web.token" in caught.value.remedy


def test_a_token_file_that_cannot_be_read_is_an_error(url):
    """A folder in its place is reported with the reason, not taken for no token."""
    token_file(url).mkdir(parents=True)
    with pytest.raises(UsageError, match="api-token cannot be read: Is a directory"):
        known_token(UNSET, url)


def test_a_token_file_that_is_not_text_is_an_error(url):
    """What the file holds is not repeated."""
    token_file(url).parent.mkdir()
    token_file(url).write_bytes(b"secret\xff")
    with pytest.raises(UsageError, match="it is not text") as caught:
        known_token(UNSET, url)
    assert "secret" not in caught.value.message
