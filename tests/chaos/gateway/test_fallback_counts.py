"""Fallbacks and failures are read from LiteLLM's own metrics, ours apart from others'."""

from chaos.exposition import samples
from chaos.gateway.fallback_counts import MASTER_KEY, Failure, Fallback, key_hash, read_fallbacks

PAGE = """
process_start_time_seconds 1.7e+09
litellm_deployment_successful_fallbacks_total{api_key_alias="None",exception_class="Anthropic.BadRequestError",exception_status="400",fallback_model="gemma",hashed_api_key="litellm_proxy_master_key",model_id="None",requested_model="claude",team="None",team_alias="None"} 2.0
litellm_deployment_failed_fallbacks_total{api_key_alias="None",exception_class="RouterRateLimitError",exception_status="429",fallback_model="gemma",hashed_api_key="abc",model_id="None",requested_model="claude",team="a",team_alias="None"} 3.0
litellm_deployment_failed_fallbacks_total{api_key_alias="None",exception_class="RouterRateLimitError",exception_status="429",fallback_model="gemma",hashed_api_key="abc",model_id="None",requested_model="claude",team="b",team_alias="None"} 1.0
litellm_deployment_failure_responses_total{exception_class="Anthropic.BadRequestError",exception_status="400",model_id="1",requested_model="claude",user_agent="Python/3.11"} 5.0
litellm_deployment_failure_responses_total{exception_class="Anthropic.BadRequestError",exception_status="400",model_id="lane",requested_model="claude",user_agent="understudy"} 7.0
litellm_deployment_failure_responses_total{exception_class="Anthropic.BadRequestError",exception_status="400",model_id="1",requested_model="claude"} 9.0
"""  # noqa: E501 -- LiteLLM 1.106.2's own lines


def test_fallbacks_are_read_by_group_hop_key_and_reason():
    """Series of several teams are one; each fallback says why it was taken."""
    counts = read_fallbacks(samples(PAGE), agent="understudy")
    assert counts.process == 1.7e9
    assert counts.served == {
        Fallback("claude", "gemma", MASTER_KEY, "400", "Anthropic.BadRequestError"): 2
    }
    assert counts.exhausted == {
        Fallback("claude", "gemma", "abc", "429", "RouterRateLimitError"): 4
    }


def test_failures_of_drills_and_of_unnamed_callers_are_counted_apart():
    """What may have been ours is no sign of users in trouble."""
    counts = read_fallbacks(samples(PAGE), agent="understudy")
    failure = Failure("claude", "400", "Anthropic.BadRequestError")
    assert counts.failed == {failure: 5}
    assert counts.drilled == {failure: 16}
    assert next(iter(counts.served)).failure == failure


def test_a_page_without_fallbacks_counts_nothing():
    """A gateway that never fell back has no series at all."""
    counts = read_fallbacks(samples("up 1\n"), agent="understudy")
    assert (counts.process, counts.served, counts.exhausted, counts.failed) == (None, {}, {}, {})


def test_a_key_is_written_as_litellm_writes_it():
    """LiteLLM keeps the SHA-256 of a virtual key."""
    assert key_hash("sk-1") == "0f2c10bf3d128c719c6bfa4ecbae94b7fceebaea6e4438fef38a90e5acc326f3"
