"""Tests of telling noise from text."""

import pytest

from chaos.judge.garble import garbled

NONCE = "7f3a91c2"
PARAGRAPH = " ".join(f"The parcel number {n} left its depot at {n} o'clock." for n in range(6))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("!" * 200, "neither a letter"),
        ("…?!., " * 3, "neither a letter"),
        ("the " * 200, "says 'the'"),
        (f"{NONCE}\n" * 200, f"{NONCE!r}"),
        ("la" * 30, "'la' 30 times"),
        (f"{NONCE} " + "!" * 200, "'!' 200 times"),
        ("one two three " * 25, "'one two three'"),
        ("\N{REPLACEMENT CHARACTER}" * 3 + "abc", "3 unreadable characters among 6"),
        ("The token is 7f3a91c2 as you asked me to say. " * 200, "'The token is"),
        ("The token is 7f3a91c2. " + PARAGRAPH * 40, "what follows"),
        ("a\x00\x01\x02", "3 unreadable characters among 4"),
    ],
)
def test_noise_is_found(text, what):
    """A stuck sampler, broken weights and a foreign tokenizer each put out their own kind."""
    assert what in (garbled(text) or "")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "!!!",
        NONCE,
        f"The token is {NONCE}.",
        "| a | b |\n|" + "-" * 40 + "|" + "".join(f"\n| {n} | {n * n} |" for n in range(30)),
        "Ja, ja, ja, " + "so it is. " * 3,
        "日本語のテキストです。" * 3,
        "red, blue, red",
        PARAGRAPH * 3,
        f"{PARAGRAPH}\n{'-' * 300}\n{PARAGRAPH}",
        "The code is\n" + "=" * 30 + f"\n{NONCE} in the archive of the harbour.",
    ],
)
def test_text_is_left_alone(text):
    """Tables, lines and other alphabets are no noise."""
    assert garbled(text) is None


def test_a_long_text_takes_no_long_time():
    """Only its beginning is looked at, and that in proportion to its length."""
    assert garbled(" ".join("ab" * 11 + str(number) for number in range(100_000))) is None
