"""The provider's own error in a reply of status 200."""

import json
from dataclasses import replace

import pytest

from chaos.faults.provider_error import ERROR_VARIANTS, told_error, whole_error
from chaos.protocol.dialect import ErrorRow
from chaos.protocol.dialects import DIALECTS
from chaos.protocol.dialects.openai import OpenAI
from tests.fakes.scenes import body_of, head_of, scene


def with_rows(**told):
    """Set a scene whose dialect has just these rows."""

    class Other(OpenAI):
        rows = told

    return replace(scene(), dialect=Other())


def row(body, status=500):
    """Make a row of *body*."""
    return ErrorRow(status, body, source="a test")


def test_by_default_the_provider_is_overloaded():
    """What goes wrong after the status was sent is capacity, mostly."""
    assert (
        told_error(scene(("anthropic", "messages")))
        == DIALECTS["anthropic"].rows["overloaded"].body
    )


def test_who_is_never_overloaded_has_a_server_error():
    """A dialect without that row tells its own error instead."""
    assert (
        told_error(scene(("vllm", "chat_completions")))
        == DIALECTS["vllm"].rows["server_error"].body
    )


def test_the_variant_names_the_error():
    """Billing is Anthropic's words about the credit balance."""
    body = told_error(scene(("anthropic", "messages"), variant="billing"))
    assert "credit balance is too low" in body["error"]["message"]


def test_a_variant_that_the_dialect_lacks_is_the_usual_error():
    """An engine has no bill; it fails all the same."""
    usual = told_error(scene(("vllm", "chat_completions")))
    assert told_error(scene(("vllm", "chat_completions"), variant="billing")) == usual


def test_a_page_is_no_error_to_be_told():
    """Where the row that is wanted is HTML, the next one is taken."""
    on_stage = with_rows(overloaded=row("<html>"), server_error=row({"error": 1}))
    assert told_error(on_stage) == {"error": 1}


def test_text_alone_is_wrapped():
    """A dialect with nothing but pages still makes a JSON body."""
    assert told_error(with_rows(server_error=row("<html>"))) == {"error": {"message": "<html>"}}


def test_the_model_is_named_where_the_row_leaves_a_place():
    """The message names the model that was asked for."""
    body = told_error(scene(("openai", "chat_completions"), variant="model_retired"))
    assert "some-model" in json.dumps(body)
    assert "{model}" not in json.dumps(body)


@pytest.mark.parametrize("variant", [None, *ERROR_VARIANTS])
@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_a_whole_error_is_a_success_with_an_error_in_it(dialect, variant):
    """Status 200, JSON, and the error body as it is, even to who wants a stream."""
    on_stage = scene((dialect, DIALECTS[dialect].formats[0].name), variant=variant)
    script = whole_error(on_stage)
    assert head_of(script) == (200, "application/json")
    assert json.loads(body_of(script)) == told_error(on_stage)
