"""``understudy doctor``: item by item, whatever is wrong."""

import json

import pytest

from chaos.gateway.redirect_permission import redirect_permission
from chaos.process.ports import free_port
from supervisor.doctor.items import DoctorReport
from tests.fakes.http_server import answering, as_json, litellm_answers

KEY = {"DOCTOR_KEY": "sk-some-key"}


@pytest.fixture
def config(tmp_path):
    """A file whose witness has a free port."""
    port = free_port()
    file = tmp_path / "understudy.yaml"
    file.write_text(f"witness: {{listen: ['127.0.0.1:{port}'], url: 'http://127.0.0.1:{port}'}}\n")
    return file, port


def examined(told):
    """Status by item, of the report as JSON."""
    report = DoctorReport.model_validate_json(told.out)
    return {item.name: item.status.value for item in report.items}


def test_a_machine_that_can_drill_ends_with_0(invoke, config):
    """A warning is none that keeps it from drilling."""
    file, port = config
    answers = {
        **litellm_answers(permission=redirect_permission(port)),
        "/health/liveliness": as_json("I'm alive!"),
        "/v1/models": as_json({"data": [{"id": "gpt"}]}),
    }
    options = ["--config", file, "--key-env", "DOCTOR_KEY"]
    with answering(answers) as url:
        told = invoke("doctor", "--gateway", url, *options, "--format", "json", **KEY)
        table = invoke("doctor", "--gateway", url, *options, **KEY)
    found = examined(told)
    assert told.code == table.code == 0
    assert "fail" not in found.values()
    assert {"python", "supervisor_package", "configuration", "gateway", "key", "permissions"} <= {
        *found
    }
    assert f"ok   the gateway at {url} is alive" in table.out
    assert "sk-some-key" not in told.out + told.err + table.out + table.err


def test_a_gateway_that_is_down_is_an_item_among_others(invoke, config):
    """The rest of the machine is looked at all the same."""
    url = f"http://127.0.0.1:{free_port()}"
    options = ["--config", config[0], "--key-env", "DOCTOR_KEY", "--format", "json"]
    told = invoke("doctor", "--gateway", url, *options, **KEY)
    found = examined(told)
    assert (told.code, found["gateway"], found["witness_address"]) == (1, "fail", "ok")


def test_a_missing_gateway_or_key_is_an_item_too(invoke, config):
    """The remedy is the option to give."""
    for options in ([], ["--gateway", "http://127.0.0.1:4000", "--key-env", "NOT_SET_ANYWHERE"]):
        told = invoke("doctor", "--config", config[0], *options)
        assert told.code == 1
        assert "fail " in told.out
        assert "→ " in told.out
        assert "Traceback" not in told.err


def test_a_broken_configuration_ends_with_2(invoke, tmp_path):
    """All its problems are in the item."""
    file = tmp_path / "understudy.yaml"
    file.write_text("witnes: {}\ndrils: {}\n")
    told = invoke("doctor", "--config", file, "--format", "json")
    assert told.code == 2
    (item,) = [i for i in json.loads(told.out)["items"] if i["name"] == "configuration"]
    assert "2 problems" in item["message"]


@pytest.mark.parametrize("with_twin", [False, True])
def test_where_no_group_can_be_drilled_it_ends_with_1(invoke, config, with_twin):
    """Each item is only a warning, because another way might be there; all of them are not."""
    file, _ = config
    if with_twin:
        twin = f"twin: {{litellm_image: 'litellm:1', litellm_config: {file}}}\n"
        file.write_text(file.read_text() + twin)
    answers = {
        **litellm_answers(),
        "/health/liveliness": as_json("I'm alive!"),
        "/v1/models": as_json({"data": [{"id": "gpt"}]}),
    }
    options = ["--config", file, "--key-env", "DOCTOR_KEY", "--format", "json"]
    with answering(answers) as url:
        told = invoke("doctor", "--gateway", url, *options, **KEY)
    failed = [name for name, status in examined(told).items() if status == "fail"]
    assert (told.code, failed) == ((0, []) if with_twin else (1, ["ways"]))


def test_an_empty_configuration_is_no_valid_one(invoke, tmp_path):
    """'config check' and 'run' refuse it, too: a full disk or an editor has emptied it."""
    file = tmp_path / "understudy.yaml"
    file.write_text("# nothing\n")
    told = invoke("doctor", "--config", file)
    assert told.code == 2
    assert "the file says nothing: it is all comments" in " ".join(told.out.split())
