"""sparkrun's proxy is recognised by its port."""

from pathlib import Path

import pytest

from supervisor.setup.sparkrun import FOLDER, proxy_config


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The home of somebody whose sparkrun runs a proxy at port 4000."""
    folder = tmp_path / FOLDER
    folder.mkdir(parents=True)
    (folder / "litellm_config.yaml").write_text("model_list: []\n")
    (folder / "state.yaml").write_text("pid: 1\nport: 4000\nhost: 0.0.0.0\n")
    return tmp_path


def test_the_proxy_at_its_port_is_sparkruns(home):
    """Another gateway of the same machine is not."""
    assert proxy_config(home, "http://127.0.0.1:4000") == home / FOLDER / "litellm_config.yaml"
    assert proxy_config(home, "http://127.0.0.1:4001") is None


@pytest.mark.parametrize("state", ["", "[1]", "port: [", "pid: 1", "\x00"])
def test_a_state_that_says_nothing_names_nobody(home, state):
    """Whatever is in the file."""
    (home / FOLDER / "state.yaml").write_text(state)
    assert proxy_config(home, "http://127.0.0.1:4000") is None


def test_without_sparkrun_there_is_none(tmp_path, home):
    """Nor where its proxy was stopped, or its file is gone."""
    assert proxy_config(tmp_path / "nobody", "http://127.0.0.1:4000") is None
    (home / FOLDER / "litellm_config.yaml").unlink()
    assert proxy_config(home, "http://127.0.0.1:4000") is None
