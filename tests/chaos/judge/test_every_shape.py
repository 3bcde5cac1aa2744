"""No shape passes for an answer that keeps no promise, on any surface."""

import pytest

from chaos.judge.checks import CHECKS
from chaos.judge.observation import ClientReply, Observation, Sample
from chaos.judge.verdict import Outcome, judge
from chaos.protocol.conversation import Answer
from chaos.protocol.stand_in import compose
from chaos.protocol.surfaces import SURFACES
from chaos.traffic.shapes import SHAPES
from chaos.witness.wire_record import AttemptOutcome
from tests.fakes.observations import faulted, record
from tests.fakes.plans import one_scenario, planner
from tests.fakes.topologies import group, topology

NONCE = "7f3a91c2"
GATEWAY = topology(
    {"paid": ["local"], "local": [], "embed": ["embed-local"], "embed-local": []},
    groups={
        "paid": group("paid", local=False),
        "local": group("local", litellm_model="hosted_vllm/gemma"),
        "embed": group("embed", mode="embedding", local=False),
        "embed-local": group("embed-local", litellm_model="hosted_vllm/e5", mode="embedding"),
    },
)
SAID = {
    "empty": "",
    "white space": " \n\t ",
    "evasive": "That is an interesting question. It depends on many things.",
    "refusing": "I'm sorry, but I can't help with that.",
    "repeating": "the " * 200,
    "repeating the token": f"{NONCE} " * 200,
    "garbled": "!" * 400,
    "garbled after the token": f"{NONCE} " + "!" * 400,
    "of another tongue": "\N{REPLACEMENT CHARACTER}" * 40,
    "JSON of nothing": "{}",
    "markup": "<|im_start|><tool_call>",
}
GOOD_SIZE = 8
EMBEDDED = {
    "empty": (),
    "one for two": ((0.5,) * GOOD_SIZE,),
    "zeros": ((0.0,) * GOOD_SIZE,) * 2,
    "the same twice": ((0.5, 0.25) * 4,) * 2,
    "no numbers": ((float("nan"),) * GOOD_SIZE, (0.5,) * GOOD_SIZE),
    "of no size": ((), ()),
    "of two sizes": ((0.5, 0.1), (0.5,)),
}


def _cases():
    for shape in SHAPES.values():
        for surface in sorted(shape.surfaces):
            answers = EMBEDDED if surface == "embeddings" else SAID
            for name, said in answers.items():
                yield pytest.param(shape.name, surface, said, id=f"{shape.name}-{surface}-{name}")


def _judged(shape, surface, said, stream):
    """Judge a drill whose serving hop gave *said*, and the gateway handed it on."""
    of = planner(GATEWAY)
    asked = "embed" if surface == "embeddings" else "paid"
    drilled = one_scenario(GATEWAY, asked, shape=shape, surface=surface, stream=stream)
    plans = [of.plan(drilled), *(of.direct(of.plan(drilled)) for _ in range(3))]
    readings = [_reading(plan, surface, said, stream) for plan in plans]
    task = plans[0].task
    wire = (
        faulted(asked, task=task, stream=stream),
        record(
            plans[0].scenario.expected_hop,
            AttemptOutcome.SERVED,
            task=task,
            reply=readings[0],
            stream=stream,
        ),
    )
    samples = tuple(Sample(plan, read) for plan, read in zip(plans[1:], readings[1:], strict=True))
    reply = ClientReply(200, readings[0], ttft_s=0.1, total_s=0.2)
    return judge(plans[0], Observation(reply, wire, direct=samples), CHECKS)


def _reading(plan, surface, said, stream):
    form = SURFACES[surface].format
    if said is None:
        answer = compose(plan.task.ask)
    elif surface == "embeddings":
        answer = Answer(vectors=said)
    else:
        answer = Answer(text=said.replace(NONCE, plan.nonce))
    pieces = form.write_answer(answer, model="m", stream=stream)
    data = b"".join(piece.data for piece in pieces)
    if not stream:
        return form.read_reply(200, data)
    reader = form.stream_reader()
    reader.feed(data)
    return reader.close()


@pytest.mark.parametrize(("shape", "surface", "said"), list(_cases()))
def test_an_answer_that_keeps_no_promise_does_not_pass(shape, surface, said):
    """Empty, evasive, refusing, repeating and garbled answers, streamed and whole."""
    for stream in (False, True):
        if stream and surface == "embeddings":
            continue
        verdict = _judged(shape, surface, said, stream)
        assert verdict.outcome is not Outcome.PASSED, verdict.findings


@pytest.mark.parametrize(
    ("shape", "surface"),
    [(shape.name, surface) for shape in SHAPES.values() for surface in sorted(shape.surfaces)],
)
def test_a_good_answer_passes(shape, surface):
    """The same drill passes with what a willing hop says: the test above can tell."""
    for stream in (False, True):
        if stream and surface == "embeddings":
            continue
        verdict = _judged(shape, surface, None, stream)
        assert verdict.outcome is Outcome.PASSED, [
            f.message for f in verdict.findings if f.kind is not None
        ]
