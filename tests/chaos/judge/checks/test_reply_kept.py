"""The check that the client got what the hop replied."""

from chaos.judge.checks.reply_kept import REPLY_KEPT
from chaos.protocol.conversation import Finish
from tests.fakes.observations import cut, faulted, got, plan, refused, says, seen, served, usual

OWN = says("The token is 3fa91c02, and the lamp is lit again.", finish=Finish.STOP)


def judged(observation):
    """What the check alone finds."""
    finding = REPLY_KEPT.judge(plan(), observation)
    return finding.result.value, finding.kind


def test_the_usual_drill_keeps_its_reply():
    """Nothing between hop and client changed it."""
    assert judged(usual()) == ("passed", None)


def test_a_hook_that_drops_chunks_is_found():
    """A quarter of the words is gone, and the nonce is still there."""
    thinned = says("The token is 3fa91c02, the is lit.", finish=Finish.STOP)
    observation = seen(faulted(), served(reply=OWN), reply=got(thinned))
    assert judged(observation) == ("failed", "answer_degraded")


def test_the_gravest_of_several_changes_gives_the_kind():
    """All of them are in the message."""
    cut = says("The token is 3fa91c02,", finish=Finish.LENGTH)
    finding = REPLY_KEPT.judge(plan(), seen(faulted(), served(reply=OWN), reply=got(cut)))
    assert finding.kind == "truncated_reply"
    assert "finished with 'stop' and came as 'length'" in finding.message


def test_what_another_attempt_had_said_first_makes_it_spliced():
    """Half an answer of the failed hop, and then that of the fallback."""
    half = faulted(reply=cut("The weather in"), status=200)
    both = says("The weather in" + OWN.text, finish=Finish.STOP)
    observation = seen(half, served(reply=OWN), reply=got(both))
    assert judged(observation) == ("failed", "spliced_reply")


def test_an_error_has_no_hop_s_reply_to_be_compared_with():
    """Other checks judge it."""
    assert judged(seen(faulted(), served(), reply=refused())) == ("passed", None)
