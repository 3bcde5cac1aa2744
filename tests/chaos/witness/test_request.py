"""What a request of the gateway says when it arrives."""

import json

import pytest

from chaos.protocol.dialect import RawCall
from chaos.protocol.dialects import DIALECTS
from chaos.witness.request import key_owner, refusal
from chaos.witness.wire_record import KeyOwner

CANARY = "understudy-canary-x"


@pytest.mark.parametrize(
    ("headers", "canary", "owner"),
    [
        ({}, CANARY, KeyOwner.NONE),
        ({"x-goog-api-key": "another-dialects"}, CANARY, KeyOwner.NONE),
        ({"authorization": f"Bearer {CANARY}"}, CANARY, KeyOwner.CANARY),
        ({"authorization": "Bearer k"}, CANARY, KeyOwner.OTHER),
        ({"authorization": f"Bearer {CANARY}"}, None, KeyOwner.OTHER),
        ({"authorization": "Bearer k", "x-api-key": CANARY}, CANARY, KeyOwner.MIXED),
    ],
)
def test_whose_key_came_is_told_by_the_canary(headers, canary, owner):
    """In any of the headers in which the dialect may carry a key."""
    raw = RawCall("POST", "/chat/completions", headers, {})
    assert key_owner(raw, DIALECTS["openai"], canary) is owner


def test_a_refusal_names_us_and_is_not_retried():
    """People find it in the gateway's log."""
    reply = refusal("no drill runs")
    assert reply.status == 400
    assert isinstance(reply.body, bytes)
    said = json.loads(reply.body)["error"]["message"]
    assert said == "Understudy's witness refuses: no drill runs."
