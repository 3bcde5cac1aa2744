"""A gateway without models is not a gateway without faults."""

from supervisor.audit.rules.no_models import no_models
from tests.fakes.audit_findings import audited, brief


def test_an_empty_list_of_models_is_an_error():
    """Nothing else can be found there, which must not look like a clean report."""
    assert brief(no_models(audited({}))) == [("no_models", "error", "model_list")]


def test_a_single_group_or_wildcard_is_enough():
    """What is wrong with it is for others to say."""
    for name, wildcards in (("claude", ()), ("openai/*", ("openai/*",))):
        assert brief(no_models(audited({name: []}, changes={"wildcards": wildcards}))) == []
