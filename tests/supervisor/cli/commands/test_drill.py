"""``understudy drill`` before a drill is run: everything that may be wrong, and what to do."""

import os
import socket
from pathlib import Path

import pytest

from chaos.errors import UsageError
from chaos.gateway.redirect_permission import redirect_permission
from chaos.process.ports import free_port
from supervisor.cli.commands.drill import Destination, show
from tests.fakes.http_server import answering, as_json, litellm_answers
from tests.fakes.rows import report, row

KEY = {"DRILL_KEY": "sk-some-key"}


def drill(invoke, url, *options, **env):
    """Drill a gateway with a key that is set."""
    return invoke("drill", "--gateway", url, "--key-env", "DRILL_KEY", *options, **KEY, **env)


def complaint(ended):
    """What it complained about; it ended with 2, told a remedy and showed no traceback."""
    assert ended.code == 2
    assert ended.out == ""
    assert "Traceback" not in ended.err
    assert "  → " in ended.err
    return ended.err


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("ftp://127.0.0.1", "is not the URL of a gateway"),
        ("http://", "is not the URL of a gateway"),
        ("http://127.0.0.1:99999", "cannot be reached"),
        ("no-such-host.invalid:4000", "cannot be reached"),
        (f"127.0.0.1:{free_port()}", "cannot be reached"),
    ],
)
def test_a_wrong_url_is_told(invoke, url, message):
    """No scheme, no host, no such port, no such name, nobody there."""
    assert message in complaint(drill(invoke, url))


def test_a_password_in_the_url_is_refused_and_not_repeated(invoke):
    """It would be in every report."""
    assert "hunter2" not in complaint(drill(invoke, "http://me:hunter2@127.0.0.1:4000"))


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {"/model/info": (200, "text/html", b"<html>Welcome to nginx!</html>")},
    ],
)
def test_what_is_not_litellm_is_told(invoke, answers):
    """Another API, a web page, a proxy with nothing behind it."""
    with answering(answers) as url:
        assert "does not answer like LiteLLM" in complaint(drill(invoke, url))


@pytest.mark.parametrize("otherwise", [as_json({"message": "hello"}), as_json([1, 2])])
def test_an_api_that_says_yes_to_everything_is_no_clean_bill_of_health(invoke, otherwise):
    """No model groups means nothing was proven."""
    with answering({}, otherwise) as url:
        complaint(drill(invoke, url))


def test_an_error_of_the_gateway_is_told_in_its_own_words(invoke):
    """Nobody has to search for it; the key is not in them, whoever repeats it."""
    said = as_json({"error": {"message": f"No pool for {KEY['DRILL_KEY']}, retry"}}, 503)
    with answering({"/model/info": said}) as url:
        told = complaint(drill(invoke, url))
    assert "fails at GET /model/info with status 503: “No pool for ***, retry”" in told
    assert "Look at LiteLLM's log" in told


@pytest.mark.parametrize("option", [(), ("--list",)])
def test_an_engine_of_no_group_is_refused(invoke, option):
    """It would count for nothing, and its hop would be one that costs money."""
    with answering(litellm_answers(permission=redirect_permission(free_port()))) as url:
        told = complaint(drill(invoke, url, "--engine", "gpd=http://127.0.0.1:1", *option))
    assert "no model group of the gateway has the name of the engine 'gpd'" in told
    assert "did you mean 'gpt'?" in told


def test_a_wrong_key_is_told(invoke):
    """And which key it is about."""
    with answering({}, as_json({"error": "no"}, 401)) as url:
        assert "--admin-key-env" in complaint(drill(invoke, url))


def test_an_old_litellm_is_not_redirected(invoke):
    """Below 1.103.0 a redirect would stay behind for every caller; nothing is sent."""
    with answering(litellm_answers(version="1.102.0", permission=".*")) as url:
        options = ("--injector", "redirect", "--witness-listen", f"127.0.0.1:{free_port()}")
        told = complaint(drill(invoke, url, *options))
    assert "1.102.0" in told
    assert "1.103.0" in told
    assert "--injector twin" in told


def test_a_gateway_that_permits_no_redirect_is_told(invoke):
    """With the name of what is missing, and the command that prints it."""
    with answering(litellm_answers()) as url:
        told = complaint(drill(invoke, url, "--witness-listen", f"127.0.0.1:{free_port()}"))
    assert "configurable_clientside_auth_params" in told
    assert "understudy init" in told


@pytest.mark.parametrize(
    ("options", "message", "remedy"),
    [
        (("--group", "gtp"), "'gtp' is not a model group", "'gpt'"),
        (("--fault", "biling"), "'biling'", "'billing'"),
        (("--fault", "rate_limit.retry_after_two"), "retry_after_two", "retry_after_N"),
        (("--shape", "chatt"), "'chatt'", "'chat'"),
        (("--surface", "mesages"), "'mesages'", "'messages'"),
        (("--depth", "7"), "nothing to drill", "--depth"),
    ],
)
def test_a_name_that_does_not_exist_is_answered_with_the_nearest(invoke, options, message, remedy):
    """A typo costs one look, not a search in the manual."""
    with answering(litellm_answers()) as url:
        told = complaint(drill(invoke, url, *options))
    assert message in told
    assert remedy in told


@pytest.mark.parametrize("only_list", [(), ("--list",)])
def test_a_gateway_without_models_is_nothing_to_drill(invoke, only_list):
    """A campaign that found nothing to drill has not passed."""
    with answering(litellm_answers(groups=())) as url:
        assert "no model groups" in complaint(drill(invoke, url, *only_list))


@pytest.mark.parametrize("form", ["table", "json"])
def test_list_sends_nothing_and_prints_the_keys(invoke, form):
    """No witness, no permission and no version are needed to see what there is."""
    with answering(litellm_answers(version="1.0.0")) as url:
        ended = drill(invoke, url, "--list", "--fault", "billing", "--format", form)
    assert ended.code == 0
    assert "gpt/general/1/billing/chat/chat_completions/whole" in ended.out
    assert "nothing was sent" in ended.err


WILDCARD = {
    **litellm_answers(),
    "/model/info": as_json(
        {
            "data": [
                {"model_name": name, "litellm_params": {"model": name}, "model_info": {"id": "one"}}
                for name in ("openai/gpt", "openai/o3")
            ]
        }
    ),
}


def test_list_says_which_model_stands_for_a_wildcard(invoke, tmp_path):
    """The one of the configuration file; the wildcard's own name means it."""
    file = tmp_path / "understudy.yaml"
    file.write_text('wildcards: {"openai/*": openai/o3, "opnai/*": opnai/o3}\n')
    with answering(WILDCARD) as url:
        ended = drill(invoke, url, "--list", "--group", "openai/*", "--config", str(file))
    assert ended.code == 0
    assert "openai/o3/general/1/billing/chat/chat_completions/whole" in ended.out
    assert "openai/o3 stands for the wildcard openai/*" in ended.err
    assert "the gateway has no wildcard opnai/*" in ended.err
    assert "did you mean 'openai/*'?" in ended.err


def test_a_taken_port_names_its_holder(invoke):
    """One knows whom to stop, or where else to listen."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        answers = litellm_answers(permission=redirect_permission(port))
        with answering(answers) as url:
            told = complaint(drill(invoke, url, "--witness-listen", f"127.0.0.1:{port}"))
    assert f"127.0.0.1:{port}: the port is taken by" in told
    assert f"(pid {os.getpid()})" in told


def test_an_address_of_another_machine_is_told(invoke):
    """The witness listens here or nowhere."""
    with answering(litellm_answers(permission=".*")) as url:
        told = complaint(drill(invoke, url, "--witness-listen", "192.0.2.1:8941"))
    assert "192.0.2.1:8941" in told


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--depth", "none"), "--depth 'none'"),
        (("--depth", "0"), "--depth '0'"),
        (("--engine", "gemma"), "--engine 'gemma' is not NAME=URL"),
        (("--engine", "gemma=127.0.0.1:8000"), "engines.gemma"),
        (("--witness-listen", "8941"), "witness.listen[0]"),
        (("--witness-listen", "127.0.0.1:http"), "witness.listen[0]"),
        (("--witness-url", "host:8941"), "witness.url"),
        (("--key-file", "/tmp/key"), "--key-env and --key-file both name a key"),
        (("--admin-key-env", "NOT_SET_AT_ALL"), "NOT_SET_AT_ALL is empty or not set"),
    ],
)
def test_an_option_that_cannot_be_is_told_before_anything_is_asked(invoke, options, message):
    """The gateway of this test does not exist: nobody gets so far."""
    assert message in complaint(drill(invoke, "http://127.0.0.1:9", *options))


def test_a_key_that_is_not_there_is_told(invoke, tmp_path: Path):
    """Unset, missing, unreadable, empty, or not a key at all."""
    gateway = ("drill", "--gateway", "http://127.0.0.1:9")
    assert "no key" in complaint(invoke(*gateway))
    assert "NOT_SET_AT_ALL" in complaint(invoke(*gateway, "--key-env", "NOT_SET_AT_ALL"))
    missing = complaint(invoke(*gateway, "--key-file", tmp_path / "none"))
    assert "No such file" in missing
    assert "Is a directory" in complaint(invoke(*gateway, "--key-file", tmp_path))
    (tmp_path / "empty").write_text(" \n")
    assert "empty" in complaint(invoke(*gateway, "--key-file", tmp_path / "empty"))
    (tmp_path / "page").write_text("sk-secret-one\nsk-secret-two\n")
    page = complaint(invoke(*gateway, "--key-file", tmp_path / "page"))
    assert "more than a key" in page
    assert "sk-secret" not in page
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    assert "not UTF-8" in complaint(invoke(*gateway, "--key-file", tmp_path / "binary"))


def test_without_a_gateway_there_is_a_way_to_begin(invoke):
    """The first thing that a curious person types."""
    told = complaint(invoke("drill"))
    assert "--gateway" in told
    assert "understudy demo" in told


def test_a_report_that_could_not_be_written_stops_the_drills_before_they_begin(
    invoke, tmp_path: Path
):
    """Nobody pays for a campaign whose report is lost."""
    for output in (tmp_path / "none" / "report.json", tmp_path):
        told = complaint(drill(invoke, "http://127.0.0.1:9", "--output", output))
        assert f"cannot be written to {output}" in told


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("toools: []", "did you mean 'tools'?"),
        ("system: [1]", "system"),
        ("- a list", "not a mapping"),
        ("system: [", "cannot be read"),
        (None, "No such file"),
    ],
)
def test_a_broken_client_profile_is_told(invoke, tmp_path: Path, text, message):
    """Before the gateway is asked anything."""
    profile = tmp_path / "profile.yaml"
    if text is not None:
        profile.write_text(text)
    assert message in complaint(drill(invoke, "http://127.0.0.1:9", "--as", profile))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--as", "claud"), "claude_code, codex, openai_agents, hermes, cline"),
        (("--as", "claude_code", "--surface", "responses"), "does not ask on 'responses'"),
        (("--as", "codex", "--shape", "image"), "does not send the shape 'image'"),
    ],
)
def test_what_no_client_asks_is_refused_before_anything_is_sent(invoke, options, message):
    """With the known clients, or what this one does."""
    assert message in complaint(drill(invoke, "http://127.0.0.1:9", *options))


def test_as_a_client_its_scenarios_are_listed(invoke):
    """The agent shape on its own surface, without another option."""
    with answering(litellm_answers()) as url:
        rows = drill(invoke, url, "--list", "--as", "claude_code", "--fault", "billing").out
    assert rows.strip()
    assert all("/agent.claude_code/messages/" in line for line in rows.splitlines() if "/" in line)


def test_all_problems_of_a_configuration_are_told_at_once(invoke, tmp_path: Path):
    """One edit mends the file, not one edit for each run."""
    file = tmp_path / "understudy.yaml"
    file.write_text(
        "gateway: {url: localhost, kee: {env: X}}\n"
        "witness: {listen: ['8941']}\n"
        "drills: {profile: fulll, concurrency: 9}\n"
    )
    told = complaint(invoke("drill", "--config", file))
    for part in (
        f"{file}: 5 problems",
        'gateway.url: "localhost"',
        "gateway.kee: unknown key; did you mean 'key'?",
        "witness.listen[0]",
        "drills.profile: 'fulll' is not allowed; did you mean 'full'?",
        "drills.concurrency",
    ):
        assert part in told


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "cannot be read: No such file"),
        ("gateway: [", "not YAML at line 1"),
        ("just text", "holds text, not sections"),
        ("accept: [{scenario: x, until: 2026-13-45, reason: y}]", "month must be in 1..12"),
    ],
)
def test_a_configuration_that_is_none_is_told(invoke, tmp_path: Path, text, message):
    """Missing, not YAML, not sections, or a day that no calendar has."""
    file = tmp_path / "understudy.yaml"
    if text is not None:
        file.write_text(text)
    assert message in complaint(invoke("drill", UNDERSTUDY_CONFIG=str(file)))


def test_a_summary_is_appended_and_the_report_printed(capsys, tmp_path: Path):
    """A job's page may hold what other steps have written."""
    page = tmp_path / "summary.md"
    page.write_text("# Before\n")
    show(report(row()), Destination("json", summary=page))
    assert page.read_text().startswith("# Before\n### Understudy: every fallback drill passed")
    assert '"understudy/drill-report/1"' in capsys.readouterr().out


def test_a_summary_that_cannot_be_written_costs_no_report(capsys):
    """It is told, and the report follows."""
    show(report(row()), Destination("json", summary=Path("/dev/full")))
    printed = capsys.readouterr()
    assert '"understudy/drill-report/1"' in printed.out
    assert "/dev/full: No space left" in printed.err


def test_a_report_is_not_lost_when_the_disk_is_full(capsys):
    """What could not be written into the file is printed, and the error told."""
    full = Path("/dev/full")
    with pytest.raises(UsageError, match="No space left"):
        show(report(row()), Destination("json", full))
    assert '"understudy/drill-report/1"' in capsys.readouterr().out
