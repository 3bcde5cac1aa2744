"""May a run be counted?"""

import pytest

from supervisor.baseline.counters import Counters
from supervisor.baseline.record import EngineFigures
from supervisor.baseline.stream import Timed
from supervisor.baseline.trust import doubts

IDLE = Counters({"tokens": 1000.0, "running": 0.0, "waiting": 0.0}, 17.0)
SILENT = Counters({})


def even(tokens: int = 301, per_chunk: int = 1, step_s: float = 0.01) -> Timed:
    """A reply whose chunks come evenly."""
    chunks = tokens // per_chunk
    arrivals = [0.1 + step_s * n for n in range(chunks)]
    last_s = 0.1 + step_s * (tokens - 1) / per_chunk
    return Timed(arrivals, last_s, last_s, tokens)


def told(reply: Timed, before=SILENT, after=SILENT, **engine) -> str:
    """Why it is doubted."""
    return "; ".join(doubts([reply], before, after, EngineFigures(**engine)))


def test_an_even_reply_of_an_idle_engine_is_counted():
    """With counters that agree, and without any."""
    assert told(even()) == ""
    assert told(even(), IDLE, IDLE, tokens=301, decode_tps=100.5) == ""


def test_several_tokens_in_a_chunk_are_no_burst():
    """Speculative decoding sends them so: tokens are counted by usage."""
    reply = even(400, per_chunk=4)
    assert reply.itl_s == pytest.approx(0.0025)
    assert told(reply) == ""


@pytest.mark.parametrize(
    ("decode_tps", "word"), [(97.2, ""), (96.9, "burst arrival"), (103.2, "burst arrival")]
)
def test_a_client_that_sees_another_speed_than_the_engine_is_not_believed(decode_tps, word):
    """Three percent is scheduling; 100 tokens a second here."""
    found = told(even(), IDLE, IDLE, tokens=301, decode_tps=decode_tps)
    assert found.partition(":")[0] == word
    if word:
        assert "100.0 tokens a second here" in found


def test_a_reply_that_comes_at_once_is_a_burst():
    """77,705 tokens a second have been measured so."""
    at_once = Timed([1.0] * 300, 1.0, 1.0, 300)
    assert told(at_once) == "burst arrival: everything came at once"
    assert "one or two chunks" in told(Timed([1.0], 2.0, 2.0, 300))


def test_chunks_that_come_in_heaps_are_a_burst_also_without_counters():
    """Ten at a time, every tenth of a second."""
    heaps = [0.5 + 0.1 * (n // 10) + 1e-5 * (n % 10) for n in range(300)]
    assert "burst arrival" in told(Timed(heaps, heaps[-1], heaps[-1], 300))


@pytest.mark.parametrize(
    ("tokens", "word"), [(128, ""), (127, "too few tokens: 127"), (None, "it sent no usage")]
)
def test_a_chunk_is_no_token_and_a_few_tokens_are_no_measure(tokens, word):
    """One token more or less must be less than a percent."""
    reply = even(128)
    reply.tokens = tokens
    found = told(reply)
    assert found.startswith(word) if word else found == ""


def test_other_traffic_is_seen_before_and_in_between():
    """By its place in the queue, and by tokens that are not ours."""
    busy = Counters({**IDLE.values, "running": 1.0, "waiting": 1.0}, 17.0)
    assert told(even(), busy, IDLE, tokens=301).startswith("other traffic: 2 requests")
    assert "generated 900 tokens, 301 of them here" in told(even(), IDLE, IDLE, tokens=900)


def test_a_restart_in_between_says_all():
    """Counters of two starts cannot be subtracted."""
    anew = Counters(IDLE.values, 18.0)
    assert told(even(), IDLE, anew, tokens=-5) == "the engine was started anew meanwhile"


def test_a_request_that_was_broken_off_for_another_is_not_counted():
    """VLLM calls it a preemption, and computes it anew."""
    assert "began anew 2 times" in told(even(), IDLE, IDLE, tokens=301, preemptions=2)


def test_a_restart_between_two_runs_is_seen_too():
    """A benchmark is of one boot, and the first run after a start is a cold one."""
    found = doubts([even()], IDLE, IDLE, EngineFigures(tokens=301), boot_s=16.0)
    assert found == ("the engine was started anew meanwhile",)
    assert doubts([even()], IDLE, IDLE, EngineFigures(tokens=301), boot_s=17.0) == ()


def test_metrics_that_were_not_answered_are_no_restart():
    """Nobody knows."""
    assert told(even(), IDLE, SILENT) == ""


def test_a_long_prompt_of_somebody_is_seen_before_its_first_token():
    """While it is computed it generates nothing, and slows everything down."""
    reply = even()
    reply.prompt_tokens = 12
    assert told(reply, IDLE, IDLE, tokens=301, prompt_tokens=12) == ""
    assert "took in 100012 tokens, 12 of them ours" in told(
        reply, IDLE, IDLE, tokens=301, prompt_tokens=100_012
    )
    busy = Counters({**IDLE.values, "running": 1.0}, 17.0)
    assert "1 requests were there afterwards" in told(reply, IDLE, busy, tokens=301)
