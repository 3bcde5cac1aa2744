"""Tests of records of the wire: what never gets into one."""

import pytest

from chaos.witness.wire_record import MASK, SECRET_HEADERS, redact_headers

SECRET = "sk-a-real-key"


@pytest.mark.parametrize("name", [*sorted(SECRET_HEADERS), "Authorization", "X-API-Key"])
def test_credentials_are_masked_in_any_case(name):
    """Headers that carry a key keep their name and lose their value."""
    assert redact_headers({name: SECRET}) == {name: MASK}


@pytest.mark.parametrize(
    "name", ["x-my-key", "X-Session-Token", "client-secret", "db-password", "x-authentic"]
)
def test_what_sounds_like_a_credential_is_masked_too(name):
    """Deployments add headers of their own."""
    assert SECRET not in redact_headers({name: SECRET}).values()


def test_other_headers_are_kept():
    """What is no secret is evidence."""
    headers = {"content-type": "text/plain", "x-litellm-model-group": "gemma"}
    assert redact_headers(headers) == headers


def test_the_original_is_left_alone():
    """Redaction makes a copy: the request still needs its key."""
    headers = {"authorization": SECRET}
    redact_headers(headers)
    assert headers == {"authorization": SECRET}
