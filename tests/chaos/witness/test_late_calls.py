"""Calls of drills that have ended, known by their nonce."""

import time
from types import SimpleNamespace

import pytest

from chaos.witness import late_calls
from chaos.witness.late_calls import MOST_LOOKED_AT, REMEMBER_S, LateCalls

NONCE = "3fa91c02"


def after(*nonces):
    """The book after the drills of *nonces* have ended."""
    book = LateCalls()
    for nonce in nonces:
        book.end(nonce)
    return book


@pytest.mark.parametrize(
    "body", [f"Say {NONCE}.", f"aa{NONCE}", f"{NONCE}0123456789", f"deadbeef{NONCE}", f"\n{NONCE}"]
)
def test_a_late_call_is_counted(body):
    """Also where other digits touch the nonce."""
    book = after(NONCE)
    assert book.take([body])
    assert (book.count(NONCE), book.count("00000000")) == (1, 0)


@pytest.mark.parametrize("body", ["", "Say 00000000.", "3fa9 1c02", "3FA91C02", "\udcff"])
def test_anything_else_is_no_late_call(body):
    """It belongs to no drill of ours."""
    assert not after(NONCE).take([body])


def test_of_a_long_text_both_ends_are_looked_at():
    """Whoever finds the port must not keep us busy; a prompt's text is near an end."""
    filling = "z" * (2 * MOST_LOOKED_AT)
    book = after(NONCE)
    assert book.take([NONCE + filling])
    assert book.take([filling + NONCE])
    assert not book.take([filling + NONCE + filling])


def test_a_long_run_is_looked_through_once():
    """Each place of a run is a candidate once: twice the length is twice the work."""
    counts = [len(list(late_calls._candidates(["a" * n]))) for n in (10_000, 20_000)]
    assert counts == [10_000 - 7, 20_000 - 7]


def test_what_is_too_much_is_forgotten(monkeypatch):
    """A daemon runs for months."""
    monkeypatch.setattr(late_calls, "MOST_REMEMBERED", 2)
    book = after("00000001", "00000002", "00000003")
    assert [book.take([f"0000000{n}"]) for n in (1, 2, 3)] == [False, True, True]


def test_what_is_old_is_forgotten(monkeypatch):
    """After a day no gateway tries any more."""
    book = after(NONCE)
    tomorrow_s = time.monotonic() + REMEMBER_S + 1
    monkeypatch.setattr(late_calls, "time", SimpleNamespace(monotonic=lambda: tomorrow_s))
    book.end("00000001")
    assert not book.take([NONCE])
    assert book.take(["00000001"])
