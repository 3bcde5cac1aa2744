"""``understudy rehearse-upgrade``: two LiteLLMs of one configuration, and what differs."""

import json
from pathlib import Path

import pytest
import yaml

from chaos.gateway.releases import LITELLM_VERSION
from tests.fakes.commandline import understudy
from tests.fakes.http_server import answering, litellm_answers

CHAINS = ({"claude": ["gemma"]}, {"gemini": ["gemma"]})
MODELS = {
    "claude": "anthropic/claude-sonnet-4-5",
    "gemini": "gemini/gemini-2.5-flash",
    "gemma": "hosted_vllm/gemma",
}


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """LiteLLM's configuration, and one in which a stand-in answers for the engine."""
    litellm, own = tmp_path / "litellm.yaml", tmp_path / "understudy.yaml"
    models = [
        {
            "model_name": name,
            "litellm_params": {
                "model": model,
                "api_key": "sk-upgrade-0123456789",
                **({"api_base": "http://127.0.0.1:9/v1"} if name == "gemma" else {}),
            },
        }
        for name, model in MODELS.items()
    ]
    router = {"num_retries": 0, "fallbacks": list(CHAINS)}
    litellm.write_text(yaml.safe_dump({"model_list": models, "router_settings": router}))
    own.write_text("paid: [gemma]\n")
    return litellm, own


def rehearse(files: tuple[Path, Path], to: str, *options: str):
    """Rehearse an upgrade of the lab's version."""
    litellm, own = files
    return understudy(
        *("rehearse-upgrade", "--config", str(own), "--litellm-config", str(litellm)),
        *("--from", LITELLM_VERSION, "--to", to, "--surface", "chat_completions"),
        *("--concurrency", "4", *options),
    )


@pytest.mark.litellm
def test_a_version_differs_in_nothing_from_itself(files):
    """Two runs of one version are alike, whatever their times are."""
    ended = rehearse(files, LITELLM_VERSION, "--group", "claude", "--fault", "billing")
    assert ended.returncode == 0, ended.stderr
    assert "comes out otherwise" in ended.stdout
    assert ended.stdout.startswith("None of ")


@pytest.mark.litellm
def test_what_a_newer_version_has_mended_is_told(files, tmp_path):
    """A 4xx as the first event of Gemini's chat stream is final in the one, not in the other."""
    summary = tmp_path / "summary.md"
    ended = rehearse(
        files,
        "1.108.6",
        *("--group", "gemini", "--group", "claude", "--fault", "stream_error_first.billing"),
        *("--format", "json", "--summary", str(summary)),
    )
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    changed = {one["scenario"].split("/")[0] for one in told["changes"]}
    assert changed == {"gemini"}
    assert {one["words"] for one in told["changes"]} == {"now falls back"}
    assert (told["counts"]["worse"], told["unsteady"]) == (0, [])
    assert told["drills"] > len(told["changes"])
    assert "now falls back" in summary.read_text()


def test_without_a_configuration_nothing_is_begun(invoke):
    """It says which option is missing."""
    ended = invoke("rehearse-upgrade", "--to", "1.108.6", "--from", "1.106.2")
    assert ended.code == 2
    assert "--litellm-config" in ended.err


def test_without_a_version_that_runs_nothing_is_begun(invoke, files):
    """Neither is one given, nor a gateway that could be asked."""
    ended = invoke("rehearse-upgrade", "--to", "1.108.6", "--litellm-config", files[0])
    assert ended.code == 2
    assert "--from VERSION" in ended.err


def test_a_gateway_s_version_is_the_one_that_runs(invoke, files, monkeypatch, tmp_path):
    """It is asked, and installed where it is not there: one that nobody should run is not."""
    monkeypatch.setenv("UNDERSTUDY_LAB_DIR", str(tmp_path / "lab"))
    with answering(litellm_answers(version="1.82.8")) as url:
        ended = invoke(
            *("rehearse-upgrade", "--to", "1.108.6", "--litellm-config", files[0]),
            *("--gateway", url, "--key-env", "A_KEY"),
            A_KEY="sk-some-key",
        )
    assert ended.code == 2
    assert "LiteLLM 1.82.8 is not installed" in ended.err


@pytest.mark.parametrize(
    ("option", "value"), [("--fault", "bilin"), ("--to", "1.82.7"), ("--from", "newest")]
)
def test_what_cannot_be_meant_is_refused(invoke, files, option, value, monkeypatch, tmp_path):
    """Before anything is installed or started."""
    monkeypatch.setenv("UNDERSTUDY_LAB_DIR", str(tmp_path / "lab"))
    given = {"--to": "1.106.2", "--from": "1.106.2", option: value}
    words = [word for pair in given.items() for word in pair]
    ended = invoke("rehearse-upgrade", "--litellm-config", files[0], *words)
    assert ended.code == 2
    assert value in ended.err
    assert not (tmp_path / "lab").exists()
