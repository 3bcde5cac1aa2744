"""The installed ``understudy drill`` against a real LiteLLM: formats, exit codes, secrets."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from chaos.drill.report import DrillReport
from chaos.process.ports import free_port
from tests.fakes.commandline import starting, understudy
from tests.fakes.terminal import on_terminal

pytestmark = pytest.mark.litellm

ONE = ("--group", "claude-opus", "--fault", "billing", "--no-stream", "--depth", "1")
PROVIDER_KEYS = ("sk-lab-claudeopus", "sk-lab-gpt5", "0123456789abcdef")


def drill(lab, *options):
    """Drill the lab."""
    return understudy("drill", *lab.options, *options, LAB_KEY=lab.key)


def test_a_fallback_that_holds_ends_with_0(shared_lab):
    """The table says who served, and the last line counts."""
    ended = drill(shared_lab, *ONE, "--shape", "chat")
    assert (ended.returncode, "Traceback" in ended.stderr) == (0, False)
    assert "✗claude-opus → gemma" in ended.stdout
    assert "1 passed" in ended.stdout.splitlines()[-1]
    assert f"listening on 127.0.0.1:{shared_lab.witness_port}" in ended.stderr


def test_a_fallback_that_does_not_hold_ends_with_1(shared_lab):
    """The report is valid by its own schema, and tells the hop and its words."""
    ended = drill(shared_lab, *ONE, "--shape", "chat", "--shape", "tool_call", "--format", "json")
    assert ended.returncode == 1
    report = json.loads(ended.stdout)
    jsonschema.validate(report, DrillReport.model_json_schema(mode="serialization"))
    assert [d["kind"] for d in report["drills"]] == [None, "hop_failed"]
    assert report["summary"]["passed"] == report["summary"]["failed"] == 1
    (found,) = [f for f in report["drills"][1]["findings"] if f["kind"] == "hop_failed"]
    assert "--enable-auto-tool-choice" in found["message"]


def test_a_group_without_a_chain_fails(shared_lab):
    """Its primary is made to fail, and nobody takes over."""
    options = ("--group", "gemma", "--fault", "billing", "--shape", "chat", "--no-stream")
    ended = drill(shared_lab, *options)
    assert ended.returncode == 1
    assert "no_fallback" in ended.stdout
    assert "→ Give gemma a fallback" in ended.stdout


def test_what_could_not_be_drilled_ends_with_3(shared_lab):
    """A refused connection needs an address of its own: nothing was proven, nothing failed."""
    ended = drill(
        shared_lab, "--group", "gpt-5", "--fault", "connection_refused", "--shape", "chat"
    )
    assert ended.returncode == 3
    assert "hop_not_forwardable" in ended.stdout


def test_a_witness_that_no_hop_reaches_ends_with_3(shared_lab):
    """The gateway dials where nobody listens: the report says so, and what to look at."""
    options = [*shared_lab.options]
    options[-1] = f"127.0.0.1:{free_port()}"
    url = f"http://127.0.0.1:{shared_lab.witness_port}"
    ended = understudy(
        *("drill", *options, "--witness-url", url, *ONE, "--shape", "chat", "--format", "json"),
        LAB_KEY=shared_lab.key,
    )
    assert ended.returncode == 3, ended.stderr
    (row,) = json.loads(ended.stdout)["drills"]
    assert (row["outcome"], row["kind"]) == ("inconclusive", "witness_unreachable")
    (found,) = [f for f in row["findings"] if f["kind"] == "witness_unreachable"]
    assert found["remedy"]


def test_list_names_what_would_be_drilled(shared_lab):
    """Every key is one that a drill's report would have."""
    listed = drill(shared_lab, "--list", "--max-drills", "5").stdout.splitlines()
    assert len(listed) == 5
    assert listed[0] == "claude-opus/general/1/billing/chat/chat_completions/whole"


@pytest.mark.parametrize("form", ["table", "json", "junit"])
def test_output_takes_the_report(shared_lab, tmp_path: Path, form):
    """The file holds all of it, and stdout nothing."""
    file = tmp_path / "report"
    ended = drill(shared_lab, *ONE, "--shape", "tool_call", "--format", form, "--output", file)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert f"report written to {file}" in ended.stderr
    text = file.read_text("utf-8")
    assert "--enable-auto-tool-choice" in text
    if form == "json":
        assert DrillReport.model_validate_json(text).summary.failed == 1
    elif form == "junit":
        assert ET.fromstring(text).tag.startswith("testsuite")
    else:
        assert "1 failed" in text.splitlines()[-1]


def test_a_seed_replays_a_run(shared_lab):
    """The same ids come again."""
    options = (*ONE, "--shape", "chat", "--format", "json", "--seed", "7")
    ids = [
        [d["id"] for d in json.loads(drill(shared_lab, *options).stdout)["drills"]]
        for _ in range(2)
    ]
    assert ids[0] == ids[1]


def test_a_reader_that_leaves_does_not_change_the_verdict(shared_lab):
    """``drill | head`` fails where the drills fail."""
    process = starting(
        "drill", *shared_lab.options, *ONE, "--shape", "tool_call", LAB_KEY=shared_lab.key
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait(60) == 1
    assert "Traceback" not in said
    assert "BrokenPipe" not in said


@pytest.mark.parametrize("form", ["table", "json", "junit"])
def test_no_key_is_shown_or_left(shared_lab, tmp_path: Path, form):
    """Neither the gateway's keys nor the drill's own are in any output or file of ours."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    file = tmp_path / "report"
    ended = understudy(
        *("drill", *shared_lab.options, "--group", "claude-opus", "--group", "gpt-5"),
        *("--fault", "billing", "--shape", "tool_call", "--format", form, "--output", file),
        LAB_KEY=shared_lab.key,
        TMPDIR=str(folder),
    )
    assert ended.returncode == 1, ended.stderr
    assert list(folder.iterdir()) == []
    written = ended.stdout + ended.stderr + file.read_text("utf-8")
    assert "claude-opus/general/1/billing" in written
    for key in (shared_lab.key, *PROVIDER_KEYS, "understudy-canary-"):
        assert key not in written


def test_a_terminal_gets_a_live_table_and_colours(shared_lab):
    """A bar while it runs, the report at the end, in eighty columns."""
    options = (*shared_lab.options, *ONE, "--shape", "chat", "--shape", "tool_call")
    with on_terminal("drill", *options, columns=80, LAB_KEY=shared_lab.key) as terminal:
        assert terminal.end() == 1
    assert "drilling" in terminal.shown
    assert "\x1b[1;31mfailed" in terminal._shown
    assert "1 passed  1 failed" in terminal.shown


def test_no_color_means_no_colour(shared_lab):
    """https://no-color.org: the terminal stays, the colours go."""
    options = (*shared_lab.options, *ONE, "--shape", "tool_call")
    with on_terminal("drill", *options, LAB_KEY=shared_lab.key, NO_COLOR="1") as terminal:
        assert terminal.end() == 1
    assert "31m" not in terminal._shown
