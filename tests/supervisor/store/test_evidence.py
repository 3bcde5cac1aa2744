"""What is kept of a drill is JSON, bounded, and holds no credential."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.judge.observation import ClientReply, Observation
from chaos.judge.verdict import Outcome
from chaos.protocol.reading import Reading
from chaos.witness.wire_record import MASK, AttemptOutcome, KeyOwner, WireRecord
from supervisor.store import evidence
from supervisor.store.evidence import clean, keepable

KEY = "sk-proj-0123456789abcdef"


@pytest.mark.parametrize(
    "secret",
    [
        "sk-ant-api03-0123456789abcdef",
        KEY,
        "gsk_0123456789abcdefghij",
        "hf_0123456789abcdefghij",
        "AIzaSyA0123456789abcdefghijklmnopqrs",
        "AKIAIOSFODNN7EXAMPLE",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdefghij",
    ],
)
def test_what_looks_like_a_key_is_masked(secret: str):
    """A provider's key is masked in the middle of a text, and the text around it stays."""
    assert clean(f"key: {secret}, refused") == "key: ***, refused"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Authorization: Bearer 0123456789abcdef", "Authorization: Bearer ***"),
        ("postgresql://me:hunter22@host/db", "postgresql://***@host/db"),
        ("a task-force asks for risk-adjusted desks", "a task-force asks for risk-adjusted desks"),
        ("http://127.0.0.1:8941/lane/1", "http://127.0.0.1:8941/lane/1"),
        ("bearer of bad news", "bearer of bad news"),
        ("a\0b\ud800c", "a\ufffdb?c"),
    ],
)
def test_only_what_is_a_credential_is_masked(text: str, kept: str):
    """Credentials are masked, other words are not, and what databases refuse is replaced."""
    assert clean(text) == kept


def test_a_long_text_keeps_its_ends():
    """A text is cut in its middle, to the allowed length, and what is gone is counted."""
    kept = clean("a" * 600 + "z" * 600, 100)
    assert kept == "a" * 45 + " …[1140 characters left out]… " + "z" * 15
    assert clean("a" * 6_000 + "z" * 6_000, 100) == kept.replace("1140", "11940")


def test_a_cut_leaves_no_half_of_a_key():
    """No part of a key is left on either side of the cut."""
    secret = "sk-" + "0123456789" * 40
    for before in range(5, 55):
        text = f"{'a' * before} {secret} {'b' * 5_000} {secret} {'c' * (before // 4)}"
        assert "0123" not in clean(text, 100)


def test_an_observation_becomes_json():
    """Dataclasses and enums become plain, and keys in headers and in messages are masked."""
    record = WireRecord(
        1, "local", None, "vllm", "chat", "gemma", True, AttemptOutcome.SERVED, 200,
        key_owner=KeyOwner.CANARY, upstream_message=f"refused: {KEY}",
    )  # fmt: skip
    headers = {"x-api-key": "hunter22", "server": "uvicorn"}
    seen = Observation(ClientReply(200, Reading(text="hello"), headers), (record,))
    kept = keepable(seen)
    assert json.loads(json.dumps(kept, allow_nan=False)) == kept
    assert kept["reply"]["headers"] == {"x-api-key": "***", "server": "uvicorn"}
    assert kept["reply"]["reading"]["text"] == "hello"
    (wire,) = kept["wire"]
    assert (wire["outcome"], wire["key_owner"]) == ("served", "canary")
    assert wire["upstream_message"] == "refused: ***"


def test_names_tell_secrets():
    """A field that is called a password or an API key is masked, and a scenario's key is not."""
    row = {"key": "claude/general", "api_key": "x", "Password": "x", "tokens": 3, "max_tokens": 5}
    assert keepable(row) == {**row, "api_key": "***", "Password": "***"}


def test_odd_values_become_plain():
    """Values that JSON does not have are written as text."""
    at = datetime(2026, 3, 1, tzinfo=UTC)
    odd = {1: float("nan"), "at": at, "raw": b"\xff", "set": {"b", "a"}, "o": Outcome.PASSED}
    assert keepable(odd) == {
        "1": "nan",
        "at": "2026-03-01T00:00:00+00:00",
        "raw": "\ufffd",
        "set": ["a", "b"],
        "o": "passed",
    }


def test_lists_objects_and_depth_are_bounded(monkeypatch: pytest.MonkeyPatch):
    """What is left out of a list or an object is counted."""
    monkeypatch.setattr(evidence, "MOST_ENTRIES", 2)
    monkeypatch.setattr(evidence, "DEEPEST", 2)
    assert keepable([1, 2, 3]) == [1, 2, "… 1 more"]
    assert keepable({"a": 1, "b": 2, "c": 3}) == {"a": 1, "b": 2, "…": "1 more"}
    assert keepable([[[1]]]) == [["…"]]


def test_much_is_made_shorter_until_it_fits():
    """Many long texts are each shortened, and what cannot fit is left out."""
    kept = keepable(["x" * 20_000] * 400)
    assert len(json.dumps(kept)) <= evidence.MOST_JSON_CHARACTERS
    assert kept[0].startswith("xxx")
    assert keepable([["x" * 300] * 400] * 400) == {"left_out": "more than 200000 characters"}


def test_what_cannot_fit_is_given_up_early(monkeypatch: pytest.MonkeyPatch):
    """Megabytes are not read to their end, four times, to be thrown away."""
    read: list[str] = []

    def cleaned(text: str, most: int) -> str:
        read.append(text)
        return text[:most]

    monkeypatch.setattr(evidence, "clean", cleaned)
    assert keepable([["x" * 300] * 400] * 400) == {"left_out": "more than 200000 characters"}
    assert len(read) < 5_000


NESTED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(NESTED)
def test_anything_can_be_kept(value):
    """Whatever it is, it becomes strict JSON in UTF-8, and keeping it again changes nothing."""
    kept = keepable(value)
    assert "\\u0000" not in json.dumps(kept, allow_nan=False)
    json.dumps(kept, ensure_ascii=False).encode()
    assert keepable(kept) == kept


def test_a_credential_is_masked_whatever_its_type():
    """Bytes, lists and objects under a name that says secret; flags and numbers tell nothing."""
    given = {"api_key": b"abc", "password": ["x"], "auth_token": {"a": "b"}, "secret": True}
    kept = keepable(given)
    assert kept == {"api_key": MASK, "password": MASK, "auth_token": MASK, "secret": True}


def test_a_number_without_end_is_kept_by_its_size():
    """JSON has no limit for whole numbers; databases have."""
    assert keepable(10**400) == "a whole number of 1329 bits"
    assert keepable([2**62, -(2**62)]) == [2**62, -(2**62)]


def test_a_long_token_leaves_no_end_behind_a_cut():
    """A JSON web token of two thousand characters is masked as a whole."""
    token = "eyJhbGciOiJ9." + "eyJ" + "a1" * 1000 + "." + "b2" * 20
    for before in range(0, 3000, 111):
        text = "x " * before + token + " y" * 40_000
        assert "a1a1a1" not in clean(text, 1_000)
