"""What an engine's counters say of the time between two looks."""

import pytest

from supervisor.baseline.counters import between, read_counters

PAGE = """
vllm:generation_tokens_total{{engine="0"}} {tokens}
vllm:generation_tokens_total{{engine="1"}} 0.0
vllm:prompt_tokens_total {prompt}
vllm:request_generation_tokens_sum {tokens}
vllm:request_success_total{{finished_reason="stop"}} {requests}
vllm:request_decode_time_seconds_sum {decode}
vllm:request_decode_time_seconds_count {requests}
vllm:time_to_first_token_seconds_sum {first}
vllm:time_to_first_token_seconds_count {requests}
vllm:num_preemptions_total {preempted}
vllm:spec_decode_num_draft_tokens_total {guessed}
vllm:spec_decode_num_accepted_tokens_total {accepted}
vllm:num_requests_running 1.0
vllm:num_requests_waiting 2.0
process_start_time_seconds 1700000000.5
"""
BEGIN = {"tokens": 1000, "requests": 10, "decode": 50.0, "first": 1.0, "preempted": 1}
BEGIN |= {"prompt": 500}
BEGIN |= {"guessed": 400, "accepted": 300}


def page(**more):
    """The counters as they began, and so much more."""
    return PAGE.format(**{name: value + more.get(name, 0) for name, value in BEGIN.items()})


def test_each_figure_is_of_the_time_between_and_not_since_the_start():
    """By tokens after the first of each request, as vLLM defines its time per output token."""
    after = page(tokens=301, prompt=12, requests=1, decode=3.0, first=0.2, guessed=100, accepted=60)
    found = between(read_counters(page()), read_counters(after))
    assert (found.tokens, found.requests, found.preemptions) == (301, 1, 0)
    assert found.prompt_tokens == 12
    assert found.decode_tps == pytest.approx(100.0)
    assert found.ttft_s == pytest.approx(0.2)
    assert found.accepted_ratio == pytest.approx(0.6)


def test_an_engine_without_counters_says_nothing():
    """Not even zero: that would be a claim."""
    for pages in ((None, None), ("", "up 1"), (page(), None), ("ollama_requests 1", page())):
        found = between(*map(read_counters, pages))
        assert found.model_dump(exclude_none=True) == {}


def test_whoever_is_there_is_seen_and_when_it_was_started():
    """Running and waiting together."""
    known = read_counters(page())
    assert (known.others, known.started_at_s) == (3, 1700000000.5)
    assert read_counters(None).others == 0
