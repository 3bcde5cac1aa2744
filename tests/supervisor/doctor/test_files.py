"""Secrets and the configuration are for few."""

from pathlib import Path

import pytest

from supervisor.doctor.files import files
from supervisor.doctor.items import Status
from supervisor.settings.model import Settings
from supervisor.settings.secrets import secrets_of

PLACES = {
    "gateway": {"key": {"file": "FILE"}},
    "engines": {"gemma": {"url": "http://g", "key": {"file": "FILE"}}},
    "heartbeats": {"backup": {"period": "1h", "secret": {"file": "FILE"}}},
    "notifiers": {"phone": {"apprise": {"url": {"file": "FILE"}}}},
    "store": {"url": "postgresql://u@h/d", "password": {"file": "FILE"}},
    "web": {"token": {"file": "FILE"}},
}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration file that everybody may read, as most are."""
    file = tmp_path / "understudy.yaml"
    file.touch(mode=0o644)
    return file


@pytest.mark.parametrize("section", PLACES)
def test_a_secret_s_file_that_everybody_may_read_is_told(config: Path, tmp_path: Path, section):
    """In every section that can name one; for its owner and a group it may be readable."""
    file = tmp_path / "secret"
    file.touch()

    def named(value):
        if isinstance(value, dict):
            return {key: named(inner) for key, inner in value.items()}
        return str(file) if value == "FILE" else value

    settings = Settings.model_validate({section: named(PLACES[section])})
    assert len(list(secrets_of(settings))) == 1
    for mode, status in ((0o600, Status.OK), (0o640, Status.OK), (0o644, Status.WARN)):
        file.chmod(mode)
        (item,) = files(config, settings)
        assert item.status is status, oct(mode)
        assert item.remedy == (f"chmod o= {file}" if status is Status.WARN else None)


def test_a_configuration_that_everybody_may_write_is_told(config: Path):
    """It says where keys are sent."""
    for mode, status in ((0o644, Status.OK), (0o664, Status.OK), (0o646, Status.WARN)):
        config.chmod(mode)
        (item,) = files(config, Settings())
        assert item.status is status, oct(mode)


def test_what_is_not_there_is_no_matter_of_permissions(tmp_path: Path):
    """A missing key is told by whoever needs it; without a file there is nothing to look at."""
    settings = Settings.model_validate({"gateway": {"key": {"file": str(tmp_path / "none")}}})
    assert [item.status for item in files(None, settings)] == [Status.OK]
