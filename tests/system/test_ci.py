"""A configuration without a gateway: the check of deploy/github/action.yml, run as it is there."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml
from junitparser import JUnitXml

from tests.fakes.commandline import SCRIPT, environment, understudy
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.litellm

ROOT = Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / "deploy" / "github" / "action.yml").read_text())
CONFIG = ROOT / "deploy" / "compose" / "litellm.yaml"


@pytest.fixture
def runner(tmp_path: Path, litellm_executable: Path) -> Path:
    """What the action's first steps have installed, and a file for the job's page."""
    for name, program in (("understudy", SCRIPT), ("litellm", litellm_executable)):
        (tmp_path / name / "bin").mkdir(parents=True)
        (tmp_path / name / "bin" / name).symlink_to(program)
    (tmp_path / "understudy.yaml").write_text("paid: [local]\n")
    (tmp_path / "page.md").write_text("# Other steps\n")
    return tmp_path


def rehearse(runner: Path, config: Path) -> "subprocess.CompletedProcess[str]":
    """Run the action's last step."""
    step = ACTION["runs"]["steps"][-1]
    given = {
        "litellm-config": str(config),
        "config": str(runner / "understudy.yaml"),
        "junit": str(runner / "understudy.xml"),
    }
    inputs = {
        name: given.get(name, known.get("default")) for name, known in ACTION["inputs"].items()
    }
    variables = {
        name: inputs[value.removeprefix("${{ inputs.").removesuffix(" }}")]
        for name, value in step["env"].items()
    }
    runs = {"RUNNER_TEMP": str(runner), "GITHUB_STEP_SUMMARY": str(runner / "page.md")}
    return subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", step["run"]],
        # No key of any provider: as in a pull request of a stranger.
        env=environment(**variables, **runs),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )


def test_a_good_configuration_passes(runner: Path):
    """With what CI servers read and what people see, and without any key."""
    done = rehearse(runner, CONFIG)
    assert done.returncode == 0, done.stderr
    (suite,) = list(JUnitXml.fromfile(str(runner / "understudy.xml")))
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (36, 0, 0, 0)
    page = (runner / "page.md").read_text()
    assert page.startswith("# Other steps\n### Understudy: every fallback drill passed\n")


def test_an_engine_that_ci_cannot_reach_is_not_taken_for_proven(runner: Path):
    """It is local, so nobody stands in for it unless that was said."""
    (runner / "understudy.yaml").write_text("drills: {}\n")
    done = rehearse(runner, CONFIG)
    assert done.returncode == 3, done.stdout + done.stderr
    page = (runner / "page.md").read_text()
    assert "### Understudy: not everything could be proven" in page
    assert "18 passed, 0 failed, 0 known gaps, 18 inconclusive" in page


def test_a_misspelt_fallback_fails_the_check(runner: Path):
    """LiteLLM starts with it, and skips it without a word."""
    config = runner / "litellm.yaml"
    config.write_text(CONFIG.read_text().replace("- claude: [local]", "- claude: [lokal]"))
    done = rehearse(runner, config)
    assert done.returncode == 1, done.stdout + done.stderr
    page = (runner / "page.md").read_text()
    assert "fallback drills failed" in page
    assert "Correct the chain: the gateway has no model group called lokal." in page


def test_scenarios_are_listed_and_reported_without_a_gateway(runner: Path):
    """The report names the file where it would name the gateway."""
    common = (
        *("--injector", "twin", "--litellm-config", CONFIG, "--format", "json"),
        *("--litellm-bin", runner / "litellm" / "bin" / "litellm"),
        *("--config", runner / "understudy.yaml"),
    )
    keys = json.loads(understudy("drill", *common, "--list").stdout)
    assert len(keys) == 36
    report = json.loads(understudy("drill", *common, "--max-drills", "2").stdout)
    assert [drill["scenario"]["key"] for drill in report["drills"]] == keys[:2]
    assert report["gateway"]["url"] == CONFIG.as_uri()
    assert {drill["injector"] for drill in report["drills"]} == {"twin"}


def test_redirect_without_a_gateway_is_refused(runner: Path):
    """It says both ways out."""
    refused = understudy("drill", "--config", runner / "understudy.yaml")
    assert refused.returncode == 2
    assert "--injector twin" in refused.stderr
