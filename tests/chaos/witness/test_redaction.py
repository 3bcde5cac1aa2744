"""What must not be kept, taken out of everything that is."""

import pytest

from chaos.protocol.conversation import Finish, ToolCall
from chaos.protocol.reading import Defect, DefectFound, ReadError, Reading
from chaos.witness.redaction import Scrub, without_userinfo
from chaos.witness.wire_record import credentials

KEY = "sk-the-real-one"


def test_a_reading_is_masked_in_depth():
    """Text, errors, defects and arguments can all repeat a key."""
    reading = Reading(
        text=f"a {KEY} b",
        tool_calls=(ToolCall("1", "f", f'{{"key": "{KEY}"}}'),),
        error=ReadError(f"bad key {KEY}"),
        defects=(DefectFound(Defect.NOT_JSON, KEY),),
        finish=Finish.STOP,
    )
    masked = Scrub({KEY})(reading)
    assert KEY not in repr(masked)
    assert (masked.text, masked.finish) == ("a *** b", Finish.STOP)
    assert type(masked.finish) is Finish


def test_mappings_and_tuples_are_masked_too():
    """Headers are mappings."""
    assert Scrub({KEY})({"x": (KEY, 1, None)}) == {"x": ("***", 1, None)}


def test_the_longest_secret_is_masked_as_a_whole():
    """One may begin with another."""
    assert Scrub({"sk-one", "sk-one-more"})("sk-one-more") == "***"


def test_what_is_too_short_is_no_secret():
    """It would be found inside ordinary words."""
    assert Scrub({"k", ""})("a key") == "a key"


def test_a_credential_is_known_with_and_without_its_scheme():
    """Upstreams quote the header, or the key in it."""
    found = credentials({"Authorization": f"Bearer {KEY}", "accept": "text"}, "alt=sse&key=g-key")
    assert found == {f"Bearer {KEY}", KEY, "g-key"}


def test_a_url_loses_its_password():
    """Errors of a proxy name its address."""
    said = "cannot connect to 'http://me:pass@proxy:3128/x', see https://docs/a@b"
    assert without_userinfo(said) == (
        "cannot connect to 'http://***@proxy:3128/x', see https://docs/a@b"
    )


@pytest.mark.parametrize(
    "key",
    [
        "sk-" + "proj-Ab3_dE-" * 3,
        "sk-ant-" + "api03-9x_Yz-" * 3,
        "AIza" + "SyD3-f_9aB1" * 3,
        "gsk_" + "a1B2c3D4" * 5,
        "xai-" + "a1B2c3D4" * 5,
        "hf_" + "aBcDeFgH" * 4,
        "nvapi-" + "a1B-_c3D" * 5,
        "AKIA" + "ABCDEFGH12345678",
        "eyJhbGciOiJI." + "eyJzdWIiOiIx." + "c2lnbmF0dXJl",
    ],
)
def test_a_key_that_nobody_knew_is_masked_by_its_looks(key):
    """An upstream may name a key that this process never saw."""
    assert Scrub()(f"bad key '{key}', see docs") == "bad key '***', see docs"
    assert Scrub()({"deep": (ReadError(f"({key})"),)}) == {"deep": (ReadError("(***)"),)}


def test_a_bearer_token_is_masked_after_the_word():
    """Its shape is anybody's guess; the word before it is not."""
    assert Scrub()("Authorization: Bearer tok/3n.of_nobody+=") == "Authorization: Bearer ***"


@pytest.mark.parametrize(
    "text",
    [
        "ask-the-model-12345678901234567",
        "desk-2026-11-27-morning-shift",
        "it uses bearer authentication",
        "sk-not-a-key-only-words-here",
        "understudy-canary-x, toolu_01A09q90qw90lq917835lq9, call_abcdefgh12345678",
        "chatcmpl-9a8b7c6d5e4f3a2b1c0d9e8f",
        "hf_model and AIza",
    ],
)
def test_ordinary_words_and_ids_stay(text):
    """Ids are compared between client and hop; a mask over them would hide a change."""
    assert Scrub()(text) == text
