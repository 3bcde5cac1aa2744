"""What came instead of an answer is explained in a sentence, with the gateway's own words."""

import json

import pytest

from chaos.gateway.refusal import MOST_QUOTED, Refusal, explained, own_words

URL, PATH = "http://gw:4000", "/model/info"


def said(status, body=b"", location=None):
    """Explain one answer."""
    refusal = Refusal(status, "text/plain", body, location)
    return explained(URL, PATH, refusal, keys=("sk-own-key", ""))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"error": {"message": "No connected db.", "code": 500}}', "No connected db."),
        (b'{"detail": "starting\\n up"}', "starting up"),
        (b'{"detail": {"error": "no pool"}}', "no pool"),
        (
            b"<html><style>a {b: c}</style><h1>502 Bad Gateway</h1>nginx</html>",
            "502 Bad Gateway nginx",
        ),
        (b"key sk-own-key is bad", "key *** is bad"),
        (b"\x1b[2J\xff plain", "\N{REPLACEMENT CHARACTER}[2J\N{REPLACEMENT CHARACTER} plain"),
        (b"[1, 2]", "[1, 2]"),
        (b"", ""),
    ],
)
def test_its_own_words_are_found(body, words):
    """In LiteLLM's form, FastAPI's, a page of a proxy, or as they are; never with our key."""
    assert own_words(body, ("sk-own-key", "")) == words


def test_long_words_are_cut_between_two():
    """Half a key is not known for one any more."""
    quoted = own_words(b"word " * 100 + b"end")
    assert len(quoted) <= MOST_QUOTED + 2
    assert quoted.endswith("word …")
    assert own_words(b"ok " + b"k" * 500) == "ok …"


def test_a_failing_gateway_is_quoted_with_a_remedy():
    """A 500 of another kind than the one without a key."""
    error = said(500, json.dumps({"error": {"message": "Prisma: no pool"}}).encode())
    assert error.message == (
        f"the gateway at {URL} fails at GET {PATH} with status 500: “Prisma: no pool”"
    )
    assert "LiteLLM's log" in error.remedy
    assert "does not say why" in said(503).message


def test_the_500_of_a_missing_key_is_still_about_the_key():
    """LiteLLM without a database says no more than this."""
    assert "does not accept the key" in said(500, b"Internal Server Error").message


@pytest.mark.parametrize(
    ("location", "message", "remedy"),
    [
        ("https://gw/model/info", "to https://gw/model/info", "--gateway https://gw"),
        ("https://me:pw@gw/x/model/info?key=sk-1", "to https://gw/x/model/info", "https://gw/x"),
        ("/litellm/model/info", "to http://gw:4000/litellm/model/info", f"{URL}/litellm"),
        ("https://login/?next=1", "to https://login/", "a page to log in"),
        (PATH, "to itself", "takes https for http"),
        (f"{URL}{PATH}?again=1", "to itself", "takes https for http"),
        (None, "without saying where to", "own base URL"),
        ("http://[bad", "without saying where to", "own base URL"),
        ("ftp://gw/", "without saying where to", "own base URL"),
    ],
)
def test_a_redirect_is_followed_by_people(location, message, remedy):
    """A key goes to nobody who was not named; neither user nor query is repeated."""
    error = said(307, location=location)
    assert message in error.message
    assert remedy in error.remedy
    assert "pw" not in error.message + error.remedy
    assert "sk-1" not in error.message + error.remedy


def test_anything_else_is_not_like_litellm():
    """A page, or another API."""
    assert "does not answer like LiteLLM" in said(404).message
