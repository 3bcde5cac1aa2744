"""What must not be kept, taken out of everything that is."""

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
