"""What a request may cost at most."""

import pytest

from chaos.gateway.prices import UNBOUNDED_TOKENS, most_tokens, price_usd
from chaos.protocol.conversation import Ask, ToolSpec, Turn
from tests.fakes.topologies import deployment

PROMPT = (Turn("user", "x" * 300),)


def paid(price_in, price_out):
    """Make a paid deployment."""
    return deployment("a", input_cost_per_token=price_in, output_cost_per_token=price_out)


@pytest.mark.parametrize(
    ("extra", "answer"),
    [
        (None, 512),
        ({"max_tokens": 9000}, 9000),
        ({"max_completion_tokens": 9000, "n": 4}, 36_000),
        ({"n": "4", "max_tokens": None}, 512),
    ],
)
def test_a_client_profile_can_make_the_answer_longer(extra, answer):
    """What it adds by name is what the provider goes by."""
    assert most_tokens(Ask(turns=PROMPT, max_tokens=512, extra=extra))[1] == answer


def test_everything_that_is_sent_counts():
    """Tools are prompt too; an answer without a limit is a long one, vectors are none."""
    plain, unbounded = most_tokens(Ask(turns=PROMPT))
    tool = ToolSpec("f", "y" * 300, {"type": "object"})
    assert plain >= 100
    assert unbounded == UNBOUNDED_TOKENS
    assert most_tokens(Ask(turns=PROMPT, tools=(tool,)))[0] >= plain + 100
    assert most_tokens(Ask(inputs=("x" * 300,)))[1] == 0


def test_the_dearest_deployment_sets_the_price():
    """Which one the gateway takes is not ours to choose."""
    assert price_usd([paid(1.0, 2.0), paid(3.0, 0.5)], 10, 10) == 35.0


def test_an_unknown_price_is_not_nothing():
    """Only what is local is known to be free."""
    assert price_usd([paid(1.0, None)], 1, 1) is None
    assert price_usd([deployment("a", litellm_model="hosted_vllm/m")], 1, 1) == 0.0
    assert price_usd([], 1, 1) == 0.0
