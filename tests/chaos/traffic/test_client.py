"""A client's own session goes wherever its value has the place for one."""

from chaos.traffic.client import SESSION, Client, Sent, cached_blocks

CLIENT = Client(
    name="someone",
    summary="Someone.",
    headers={"User-Agent": Sent("someone/1", "a test"), "x-session": Sent(SESSION, "a test")},
    asks={
        "responses": {"ids": Sent([{"id": f"a-{SESSION}"}], "a test"), "n": Sent(2, "a test")},
        "chat_completions": {"guess": Sent(1, "a test", unconfirmed=True)},
    },
)


def test_the_session_is_the_same_in_header_and_body():
    """As it is of one client; values without a place for it stay as they are."""
    session = CLIENT.headers_for("7f3a91c2")["x-session"]
    asked = CLIENT.parameters_for("responses", "7f3a91c2", "any")
    assert asked == {"ids": [{"id": f"a-{session}"}], "n": 2}
    assert session not in ("", SESSION)


def test_what_is_guessed_is_named_once():
    """And what it uses first is its usual surface."""
    assert CLIENT.unconfirmed == ("guess",)
    assert CLIENT.usual_surface == "responses"
    assert CLIENT.user_agent == "someone/1"


def test_a_cached_prompt_is_written_as_blocks():
    """One block for each text, each the end of what is cached."""
    blocks = cached_blocks(("a", "b"))
    assert [block["text"] for block in blocks] == ["a", "b"]
    assert all(block["cache_control"] == {"type": "ephemeral"} for block in blocks)


def test_a_parameter_may_belong_to_models_of_one_name():
    """As clients look at the name that they ask for."""
    asks = {"responses": {"reasoning": Sent("low", "a test", models="gpt-5*")}}
    client = Client(name="one", summary="One.", headers={}, asks=asks)
    assert client.parameters_for("responses", "x", "gpt-5.1") == {"reasoning": "low"}
    assert client.parameters_for("responses", "x", "claude") == {}
