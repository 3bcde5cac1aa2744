"""``understudy audit``: a report, an exit code, and no model request."""

import json

import pytest

from chaos.process.ports import free_port
from supervisor.audit.report import AuditReport
from tests.fakes.http_server import answering, as_json, litellm_answers

KEY = {"AUDIT_KEY": "sk-some-key"}


def audit(invoke, url, *options):
    """Audit a gateway with a key that is set."""
    return invoke("audit", "--gateway", url, "--key-env", "AUDIT_KEY", *options, **KEY)


def settings(**router):
    """Answer with these settings of the router."""
    return {"/get/config/callbacks": as_json({"router_settings": router})}


@pytest.mark.litellm
def test_the_labs_gateway_is_audited_as_it_is(invoke, shared_lab):
    """The real LiteLLM, whose engine runs without its tool flags."""
    told = invoke("audit", *shared_lab.options[:4], "--format", "json", LAB_KEY=shared_lab.key)
    report = AuditReport.model_validate_json(told.out)
    assert told.code == 1
    found = {(finding.code, finding.subject) for finding in report.findings}
    assert ("engine_tool_calls_disabled", "gemma") in found
    assert not {code for code, _ in found} & {"no_fallback", "unknown_target", "config_not_loaded"}


def test_every_group_without_a_fallback_is_named(invoke):
    """The founding case: eight groups, one finding each, exit code 1."""
    names = tuple(f"group-{n}" for n in range(8))
    with answering(litellm_answers(groups=names)) as url:
        told = audit(invoke, url, "--format", "json")
    report = json.loads(told.out)
    assert (told.code, report["schema"]) == (1, "understudy/audit-report/1")
    alone = [f["subject"] for f in report["findings"] if f["code"] == "no_fallback"]
    assert alone == list(names)


def test_the_table_is_for_people(invoke):
    """What was seen, and the lines to write."""
    with answering(litellm_answers()) as url:
        told = audit(invoke, url)
    assert "group 'gpt' has no fallback" in told.out
    assert "router_settings:" in told.out


def test_notes_alone_end_with_0(invoke):
    """A last resort that is paid, behind a local hop, is only a note."""
    answers = {
        **litellm_answers(groups=("gpt", "spare")),
        **settings(num_retries=0, timeout=60, fallbacks=[{"gpt": ["local", "spare"]}]),
    }
    rows = json.loads(answers["/model/info"][2])
    rows["data"].append(
        {
            "model_name": "local",
            "litellm_params": {"model": "hosted_vllm/x", "api_base": "http://no-such.lan:8000/v1"},
            "model_info": {"id": "local-id"},
        }
    )
    with answering({**answers, "/model/info": as_json(rows)}) as url:
        told = audit(invoke, url, "--format", "json")
    findings = json.loads(told.out)["findings"]
    assert {finding["severity"] for finding in findings} == {"info"}
    assert told.code == 0


def test_litellms_file_adds_what_the_gateway_does_not_tell(invoke, tmp_path):
    """And its keys are in no report."""
    file = tmp_path / "litellm.yaml"
    file.write_text(
        "model_list: [{model_name: gpt, litellm_params: {api_key: sk-hidden}}]\n"
        "general_settings: {fallbacks: [{gpt: [x]}], master_key: sk-hidden}\n"
    )
    with answering(litellm_answers()) as url:
        told = audit(invoke, url, "--format", "json", "--litellm-config", file)
    codes = [finding["code"] for finding in json.loads(told.out)["findings"]]
    assert "fallbacks_in_wrong_section" in codes
    assert "sk-hidden" not in told.out + told.err


@pytest.mark.parametrize("option", [[], ["--litellm-config", "/no/such/file"]])
def test_what_cannot_be_audited_ends_with_2(invoke, option):
    """A gateway that is down, a file that is not there: each with a remedy."""
    told = audit(invoke, f"http://127.0.0.1:{free_port()}", *option)
    assert (told.code, told.out) == (2, "")
    assert "  → " in told.err
    assert "Traceback" not in told.err


def test_a_gateway_without_models_is_no_clean_report(invoke):
    """It lists none, or LiteLLM itself says that it has none: the one is found, the other told."""
    empty = {**litellm_answers(), "/model/info": as_json({"data": []})}
    with answering(empty) as url:
        told = audit(invoke, url, "--format", "json")
    assert told.code == 1
    assert [f["code"] for f in json.loads(told.out)["findings"]] == ["no_models"]
    error = {"detail": {"error": "LLM Model List not loaded in. Make sure you passed models"}}
    with answering({**litellm_answers(), "/model/info": as_json(error, 500)}) as url:
        told = audit(invoke, url)
    assert (told.code, told.out) == (2, "")
    assert "runs without any model" in told.err
    assert "model_list" in told.err


def test_one_cause_is_reported_once_with_its_groups(invoke):
    """Hundreds of groups may lack one permission."""
    with answering(litellm_answers(groups=("b", "a"))) as url:
        told = audit(invoke, url, "--format", "json")
    rows = json.loads(told.out)["findings"]
    (one,) = [f for f in rows if f["code"] == "redirect_unavailable"]
    assert (one["subject"], one["groups"]) == ("a", ["a", "b"])


def test_an_engine_of_no_group_is_refused(invoke, tmp_path):
    """An audit that looked at nothing would find nothing."""
    file = tmp_path / "understudy.yaml"
    file.write_text("engines: {gpd: 'http://127.0.0.1:1'}\n")
    with answering(litellm_answers()) as url:
        told = audit(invoke, url, "--config", file)
    assert (told.code, told.out) == (2, "")
    assert "did you mean 'gpt'?" in told.err
