"""Engines must be there, under the name that the gateway asks for."""

import pytest

from supervisor.audit.rules.engine_reach import engine_name_mismatch, engine_unreachable
from supervisor.engine.facts import EngineFacts
from supervisor.engine.inspection import Inside
from supervisor.engine.log import EngineLog
from tests.fakes.audit_findings import audited, brief
from tests.fakes.topologies import group


def said(**facts):
    """A gateway whose engine said this."""
    values = {"group": "local", "url": "http://127.0.0.1:8000", "asked_for": ("gemma",), **facts}
    return audited({"claude": ["local"]}, engines=(EngineFacts(**values),))


def test_an_engine_that_does_not_answer_is_an_error():
    """A fallback to it fails now."""
    found = brief(engine_unreachable(said(problem="connection refused")))
    assert found == [("engine_unreachable", "error", "local")]


def test_an_engine_that_only_the_gateway_can_name_is_a_note():
    """A container's name has no address on the host."""
    found = brief(engine_unreachable(said(problem="no address", foreign_name=True)))
    assert found == [("engine_unreachable", "info", "local")]


def test_a_renamed_model_is_an_error_with_both_names():
    """An engine of vLLM answers 404 to every request."""
    (finding,) = engine_name_mismatch(said(names=("gemma-4",), owned_by="vllm"))
    assert brief([finding]) == [("engine_name_mismatch", "error", "local")]
    assert "'gemma'" in finding.message
    assert "model: hosted_vllm/gemma-4" in finding.remedy
    assert finding.remedy.endswith("--served-model-name gemma gemma-4")


def test_the_right_name_is_well():
    """With Ollama's default tag as well, and where the engine does not say."""
    for facts in ({"names": ("gemma", "x")}, {"names": ("gemma:latest",)}, {"names": None}):
        assert brief(engine_name_mismatch(said(**facts))) == []
    assert brief(engine_unreachable(said(names=("gemma",)))) == []


@pytest.mark.parametrize(
    ("log", "part"),
    [
        (
            {"failures": ("invalid tool call parser: gemma5",)},
            "the last start failed: inv",
        ),
        ({"death": "EngineCore encountered a fatal error."}, "it died: EngineCore"),
        ({"stopped": True}, "it was asked to stop"),
        ({"serving": True}, "connection refused"),
    ],
)
def test_the_log_of_an_engine_that_is_not_there_tells_why(log, part):
    """Nobody has to look for it."""
    inside = Inside(log=EngineLog(**log))
    (finding,) = engine_unreachable(said(problem="connection refused", inside=inside))
    assert part in finding.message


@pytest.mark.parametrize(
    ("facts", "severity"),
    [
        ({"owned_by": "vllm"}, "error"),
        ({"has_tool_parser": False}, "error"),
        ({"owned_by": "library"}, "error"),
        ({"owned_by": "llamacpp"}, None),
        ({"owned_by": "llamacpp", "names": ("a", "b")}, "info"),
        ({"owned_by": "sglang"}, "info"),
        ({}, "info"),
    ],
)
def test_only_an_engine_that_refuses_other_names_is_an_error(facts, severity):
    """llama.cpp serves its one model whatever it is called."""
    found = list(engine_name_mismatch(said(**{"names": ("gemma-4",), **facts})))
    assert [finding.severity for finding in found] == ([severity] if severity else [])
    vllm = facts.get("owned_by") == "vllm" or "has_tool_parser" in facts
    assert all(("--served-model-name" in f.remedy) == vllm for f in found)


def test_the_deployment_keeps_its_provider():
    """An engine behind openai/ would be called in another way behind hosted_vllm/."""
    groups = {"local": group("local", litellm_model="openai/gemma", local=True)}
    facts = EngineFacts("local", "http://x", ("gemma",), names=("gemma3:4b",), owned_by="library")
    seen = audited({"claude": ["local"]}, groups=groups, engines=(facts,))
    (finding,) = engine_name_mismatch(seen)
    assert finding.remedy.endswith("\nmodel: openai/gemma3:4b")
    assert finding.config == {
        "model_list": [{"model_name": "local", "litellm_params": {"model": "openai/gemma3:4b"}}]
    }


def test_an_engine_without_a_model_is_told_to_load_one():
    """There is no name to write."""
    (finding,) = engine_name_mismatch(said(names=(), owned_by="vllm"))
    assert finding.remedy.startswith("Load the model")
