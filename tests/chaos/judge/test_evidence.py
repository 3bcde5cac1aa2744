"""Tests of the facts that checks share."""

from chaos.faults.fault import Phase
from chaos.judge.evidence import (
    error_allowed,
    got_error,
    has_answer,
    honest_error,
    quote,
    same_output,
    source,
    spent_in_reasoning,
    told,
)
from chaos.protocol.conversation import Finish, ToolCall
from tests.fakes.observations import (
    CALL,
    calls,
    cut,
    fails,
    faulted,
    got,
    plan,
    refused,
    says,
    seen,
    served,
)


def test_quotes_are_short_and_on_one_line():
    """Whatever an upstream says fits into a sentence."""
    assert quote("a\n\n b") == "“a b”"
    assert quote('"auto" tool choice') == '“"auto" tool choice”'
    assert len(quote("x" * 5000)) == 202
    assert quote("  ") == "(no text)"


def test_quotes_hold_nothing_that_a_terminal_would_obey():
    """An upstream cannot paint over the report, nor make it impossible to write to a file."""
    assert quote("a\x1b[2Jb\ud800") == "“a\N{REPLACEMENT CHARACTER}[2Jb\N{REPLACEMENT CHARACTER}”"


def test_an_answer_is_a_2xx_with_output_and_no_error():
    """An error inside, a break or an empty body make it none."""
    assert has_answer(seen())
    for reply in (
        got(says("")),
        got(says(error=fails().error)),
        got(broke_off="reset"),
        got(timed_out=True),
        refused(),
    ):
        assert not has_answer(seen(reply=reply))


def test_a_client_that_gave_up_got_no_error():
    """It was told nothing."""
    assert not got_error(seen(reply=got(status=None, timed_out=True)))
    assert got_error(seen(reply=refused()))


def test_an_honest_error_has_the_form_of_its_surface():
    """A break or another form is not honest."""
    assert honest_error(seen(reply=refused()))
    assert not honest_error(seen(reply=got(fails(well_formed=False), status=500)))
    assert not honest_error(seen(reply=refused(broke_off="reset")))
    assert not honest_error(seen(reply=got(fails(""), status=500)))
    assert not honest_error(seen(reply=got(fails(), status=302)))


def test_errors_are_allowed_after_output_or_with_everything_down():
    """Otherwise a hop was there to serve, also where nothing had been passed on yet."""
    nothing, half = seen(faulted(), reply=refused()), seen(faulted(), reply=got(cut("The w")))
    late = plan(phase=Phase.AFTER_FIRST_BYTE)
    assert error_allowed(plan(depth=2), nothing)
    assert error_allowed(late, half)
    assert error_allowed(late, seen(faulted(), reply=got(cut("", reasoning="Let me see."))))
    assert not error_allowed(late, nothing)
    assert not error_allowed(plan(), half)


def test_the_source_is_the_attempt_with_the_same_output():
    """Not simply the last one that answered."""
    observation = seen(served("one", reply=says("A")), served("two", reply=says("B")))
    assert _group(observation, says("A")) == "one"
    assert _group(observation, says("Something else")) == "two"


def test_a_failing_hop_is_the_source_only_of_its_own_output():
    """A made-to-fail hop gave what the client got, or nothing."""
    half = seen(faulted(reply=cut("The w"), status=200))
    assert _group(half, says("The w")) == "claude"
    assert _group(half, says("The w…")) == "claude"
    assert _group(half, says("Unrelated.")) is None
    assert _group(half, says("")) is None


def test_output_is_the_same_whatever_the_white_space_of_arguments():
    """Gateways write the JSON of a call anew."""
    spaced = ToolCall("x", CALL.name, CALL.arguments.replace(" ", "\n "))
    assert same_output(calls(CALL), calls(spaced))
    assert not same_output(calls(CALL), calls(CALL, CALL))
    assert not same_output(says("a"), says("b"))


def test_spent_in_reasoning_needs_the_limit_and_reasoning():
    """Neither alone explains an empty reply."""
    spent = says("", reasoning="Hm.", finish=Finish.LENGTH)
    assert spent_in_reasoning(seen(reply=got(spent)))
    assert not spent_in_reasoning(seen(reply=got(says("", finish=Finish.LENGTH))))
    assert not spent_in_reasoning(seen(reply=got(says("", reasoning="Hm."))))


def test_what_the_client_got_is_told_in_words():
    """Messages say status, error and break."""
    assert told(seen(reply=refused("Boom."))) == "status 500, “Boom.”"
    inside = "status 200 with the error “Boom.”"
    assert told(seen(reply=got(fails("Boom.")))) == inside
    assert "nothing before the deadline" in told(seen(reply=got(timed_out=True)))
    assert "reset" in told(seen(reply=got(broke_off="reset")))
    assert "no response" in told(seen(reply=got(status=None)))


def _group(observation, reading):
    found = source(seen(*observation.wire, reply=got(reading)))
    return found.group if found else None


def test_what_no_hop_said_has_no_source():
    """Another upstream answered, or a cache: not simply the last willing hop."""
    observation = seen(served(reply=says("The word is seven.", ids=("own",))))
    assert _group(observation, says("Quite unrelated output.", ids=("other",))) is None
    assert _group(observation, says("The word is ****.", ids=("other",))) == "gemma"
    assert _group(observation, says("Masked as a whole.", ids=("own",))) == "gemma"
