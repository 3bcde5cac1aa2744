"""``understudy init``: a file that is right, and lines for LiteLLM."""

from pathlib import Path

import pytest

from chaos.process.ports import free_port
from supervisor.settings.file import load_settings
from supervisor.setup.placement import Place
from tests.fakes.http_server import answering, litellm_answers

KEY = {"INIT_KEY": "sk-some-key"}


def init(invoke, url, output, *options):
    """Write a configuration for a gateway with a key that is set."""
    named = ["--gateway", url, "--key-env", "INIT_KEY", "--output", output]
    return invoke("init", *named, *options, **KEY)


@pytest.fixture
def gateway():
    """A gateway that nobody may redirect."""
    with answering(litellm_answers()) as url:
        yield url


def test_the_file_is_written_and_passes_config_check(invoke, gateway, tmp_path: Path):
    """The permission's line goes to stdout, to be pasted."""
    file = tmp_path / "understudy.yaml"
    told = init(invoke, gateway, file)
    assert told.code == 0
    assert r'"^http://127\\.0\\.0\\.1:8941/lane/[0-3]\\Z"' in told.out
    assert "It is missing on: gpt" in told.out
    assert invoke("config", "check", file).code == 0
    assert load_settings(file).gateway.url == gateway
    assert "sk-some-key" not in file.read_text() + told.out + told.err


@pytest.mark.parametrize("place", list(Place))
def test_every_placement_has_its_own_permission(invoke, gateway, tmp_path: Path, place):
    """What LiteLLM dials is what it permits."""
    file = tmp_path / "understudy.yaml"
    told = init(invoke, gateway, file, "--placement", place, "--witness-port", 9123)
    host = load_settings(file).witness.url.removesuffix(":9123").replace(".", r"\\.")
    assert rf'"^{host}:9123/lane/[0-3]\\Z"' in told.out


def test_a_file_that_is_there_is_not_overwritten(invoke, gateway, tmp_path: Path):
    """Unless it is asked for."""
    file = tmp_path / "understudy.yaml"
    file.write_text("mine")
    told = init(invoke, gateway, file)
    assert (told.code, file.read_text()) == (2, "mine")
    assert "--force" in told.err
    assert init(invoke, gateway, file, "--force").code == 0
    assert "gateway:" in file.read_text()


def test_the_file_can_be_printed(invoke, gateway):
    """Then the lines for LiteLLM go to stderr, beside it."""
    told = init(invoke, gateway, "-")
    assert told.out.startswith("# Understudy's configuration")
    assert "configurable_clientside_auth_params" in told.err
    assert "configurable_clientside_auth_params" not in told.out


def test_what_cannot_be_written_or_asked_leaves_no_file(invoke, gateway, tmp_path: Path):
    """A remedy each, and exit code 2."""
    missing = init(invoke, gateway, tmp_path / "none" / "understudy.yaml")
    down = init(invoke, f"http://127.0.0.1:{free_port()}", tmp_path / "understudy.yaml")
    for told in (missing, down):
        assert told.code == 2
        assert "  → " in told.err
    assert list(tmp_path.iterdir()) == []
