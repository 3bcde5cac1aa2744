"""The store is where its setting says, else in this user's state folder; no password is shown."""

import stat
from pathlib import Path

import pytest

from chaos.errors import UsageError
from supervisor.settings.daemon import StoreSettings
from supervisor.store.errors import StoreError
from supervisor.store.location import (
    file_of,
    make_folder,
    parse_url,
    shown,
    state_beside,
    state_folder,
    store_url,
)

PASSWORD = "hunter22"


@pytest.mark.parametrize(
    ("systemd", "xdg", "folder"),
    [
        ("/var/lib/understudy", "/xdg", "/var/lib/understudy"),
        ("/var/lib/first:/var/lib/second", "/xdg", "/var/lib/first"),
        ("", "/xdg", "/xdg/understudy"),
        ("", "relative", "/home/me/.local/state/understudy"),
        ("", "", "/home/me/.local/state/understudy"),
    ],
)
def test_the_state_folder_follows_systemd_then_xdg_then_home(
    monkeypatch: pytest.MonkeyPatch, systemd: str, xdg: str, folder: str
):
    """Systemd's first folder comes before XDG's, which counts only if it is absolute."""
    monkeypatch.setenv("STATE_DIRECTORY", systemd)
    monkeypatch.setenv("XDG_STATE_HOME", xdg)
    monkeypatch.setenv("HOME", "/home/me")
    assert state_folder() == Path(folder)
    assert file_of(store_url(StoreSettings())) == Path(folder) / "understudy.db"


@pytest.mark.parametrize(
    ("written", "file"),
    [
        ("/var/lib/x.db", "/var/lib/x.db"),
        ("x.db", "x.db"),
        ("~/x.db", "/home/me/x.db"),
        ("/odd ?#%20name@.db", "/odd ?#%20name@.db"),
        ("sqlite:////var/lib/x.db", "/var/lib/x.db"),
        ("sqlite:///x.db", "x.db"),
    ],
)
def test_a_file_is_named_by_a_path_or_a_url(
    monkeypatch: pytest.MonkeyPatch, written: str, file: str
):
    """Both forms are the same file, in one driver, and are shown as a path."""
    monkeypatch.setenv("HOME", "/home/me")
    url = parse_url(written)
    assert url.drivername == "sqlite+pysqlite"
    assert file_of(url) == Path(file)
    assert shown(url) == file


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_postgresql_has_one_driver(scheme: str):
    """Every name that people write for PostgreSQL is the same driver, and is not a file."""
    url = parse_url(f"{scheme}://me:{PASSWORD}@host:5433/db")
    assert (url.drivername, url.host, url.port) == ("postgresql+psycopg", "host", 5433)
    assert url.password == PASSWORD
    assert file_of(url) is None
    assert shown(url) == "postgresql+psycopg://me:***@host:5433/db"


@pytest.mark.parametrize(
    "written",
    [
        "sqlite://",
        "sqlite:///:memory:",
        f"mysql://me:{PASSWORD}@host/db",
        f"a b://me:{PASSWORD}@host/db",
        f"postgresql://me:{PASSWORD}@host:port/db",
    ],
)
def test_an_address_that_is_no_store_is_refused_without_its_password(written: str):
    """What forgets, what is not supported and what is not a URL are refused; neither the message
    nor its cause repeats a password.
    """
    with pytest.raises(StoreError, match=r"store\.url is not|the store cannot be") as caught:
        parse_url(written)
    assert caught.value.permanent
    assert "sqlite:" in caught.value.remedy
    assert PASSWORD not in f"{caught.value} {caught.value.remedy} {caught.value.__cause__}"


def test_a_password_from_its_own_place_joins_the_url(monkeypatch: pytest.MonkeyPatch):
    """Characters that mean something in a URL are part of the password."""
    monkeypatch.setenv("DB_PASSWORD", "p@ss/w:rd%20")
    url = store_url(
        StoreSettings.model_validate(
            {"url": "postgresql://me@host/db", "password": {"env": "DB_PASSWORD"}}
        )
    )
    assert url.password == "p@ss/w:rd%20"
    assert url.host == "host"
    assert shown(url) == "postgresql+psycopg://me:***@host/db"


def test_a_password_that_is_not_in_its_place_is_reported(monkeypatch: pytest.MonkeyPatch):
    """A variable that is not set is an error, not a connection without a password."""
    monkeypatch.delenv("DB_PASSWORD", raising=False)
    settings = StoreSettings.model_validate(
        {"url": "postgresql://me@host/db", "password": {"env": "DB_PASSWORD"}}
    )
    with pytest.raises(UsageError, match="DB_PASSWORD is empty or not set"):
        store_url(settings)


def test_what_belongs_beside_a_store_is_beside_its_file():
    """A file has its own folder; a server has this user's state folder."""
    assert state_beside(parse_url("/srv/x/understudy.db")) == Path("/srv/x")
    assert state_beside(parse_url("postgresql://host/db")) == state_folder()


def test_a_folder_is_made_for_this_user_only(tmp_path: Path):
    """Missing parents are made too; a folder that is there keeps its mode."""
    folder = tmp_path / "a" / "b"
    make_folder(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.chmod(0o750)
    make_folder(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o750


def test_a_folder_that_cannot_be_made_is_reported(tmp_path: Path):
    """The message names the folder and the system's reason."""
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "state"
    with pytest.raises(StoreError) as caught:
        make_folder(folder)
    assert caught.value.message == f"the store's folder {folder} cannot be made: Not a directory"
    assert caught.value.permanent


def test_a_password_behind_the_question_mark_is_not_shown():
    """Libpq takes one there, too."""
    url = parse_url("postgresql://me@host/db?password=hunter22")
    assert "hunter22" not in shown(url)
    with pytest.raises(StoreError) as caught:
        parse_url("mysql://me@host/db?password=hunter22")
    assert "hunter22" not in caught.value.message
