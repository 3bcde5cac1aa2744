"""``understudy config``: every problem of a file at once, in exactly these words."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from chaos.errors import UsageError
from supervisor.settings.file import parse_settings

BAD_CONFIGS = Path(__file__).parents[3] / "data" / "bad_configs"
CASES = sorted(BAD_CONFIGS.glob("*.yaml"))


def test_there_are_cases():
    """An empty folder would pass every test below."""
    assert len(CASES) >= 10


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_bad_config_is_explained(case):
    """Each broken file yields exactly the message in its .expected twin, and never a key."""
    with pytest.raises(UsageError) as caught:
        parse_settings(case.read_text(), name=case.name)
    assert f"{caught.value.message}\n" == case.with_suffix(".expected").read_text()
    assert "sk-do-not-show" not in f"{caught.value.message} {caught.value.remedy}"


def test_a_broken_file_ends_with_2_and_all_its_problems(invoke):
    """One run, one list."""
    told = invoke("config", "check", BAD_CONFIGS / "everything_at_once.yaml")
    assert (told.code, told.out) == (2, "")
    assert "7 problems" in told.err
    assert "drills.profile: 'ful' is not allowed; did you mean 'full'?" in told.err


def test_a_valid_file_is_told_in_sentences(invoke, tmp_path: Path):
    """Where it is named does not matter; keys are neither needed nor shown."""
    file = tmp_path / "good.yaml"
    file.write_text("gateway: {url: 'http://g:4000', key: {env: NOT_SET_ANYWHERE}}\n")
    for named in ((file,), ("--config", file)):
        told = invoke("config", "check", *named)
        assert told.code == 0
        assert f"{file} is valid." in told.out
        assert "The gateway is at http://g:4000." in told.out


@pytest.mark.parametrize("text", ["", "# gateway:\n#   url: http://g:4000\n"])
def test_a_file_that_says_nothing_ends_with_2(invoke, tmp_path: Path, text):
    """It would be valid, and is not what anybody meant."""
    file = tmp_path / "empty.yaml"
    file.write_text(text)
    told = invoke("config", "check", file)
    assert told.code == 2
    assert "says nothing" in told.err


def test_an_accepted_failure_of_the_past_is_warned_of(invoke, tmp_path: Path):
    """It looks as if it still held."""
    file = tmp_path / "good.yaml"
    lines = "".join(
        f"  - {{scenario: '{name}/*', until: {day}, reason: r}}\n"
        for name, day in (("old", "2020-01-01"), ("new", "2999-01-01"))
    )
    file.write_text(f"accept:\n{lines}")
    told = invoke("config", "check", file)
    assert told.code == 0
    assert "warning: accept[0].until: failures of old/*" in told.out
    assert "since 2020-01-01" in told.out
    assert told.out.count("warning") == 1


def test_a_file_that_is_not_there_ends_with_2(invoke, tmp_path: Path):
    """A misspelt name must not pass for an empty file."""
    told = invoke("config", "check", tmp_path / "none.yaml")
    assert told.code == 2
    assert "cannot be read" in told.err


def test_without_a_file_the_defaults_are_told(invoke, monkeypatch, tmp_path: Path):
    """Nothing is wrong with having none."""
    monkeypatch.setattr("supervisor.settings.model.DEFAULT_FILE", tmp_path / "none.yaml")
    told = invoke("config", "check")
    assert told.code == 0
    assert "defaults hold" in told.out


def test_the_schema_takes_good_files_and_refuses_bad_ones(invoke):
    """An editor finds misspelt keys with it."""
    schema = json.loads(invoke("config", "schema").out)
    jsonschema.validate({"drills": {"profile": "full"}}, schema)
    bad = yaml.safe_load((BAD_CONFIGS / "unknown_key.yaml").read_text())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(bad, schema)
