"""The start-up log has to have some lines, and must not have others."""

import pytest

from supervisor.rollout.exchange.gates.log import MOST_QUOTED, forbidden, gate
from supervisor.rollout.finding import Answer
from tests.fakes.swaps import swapping

URL = "http://127.0.0.1:9"
LOG = """\
INFO Using 'MARLIN' NvFp4 MoE backend
  WARNING Falling back to EMULATION
WARNING Falling back to eager
"""


@pytest.mark.parametrize(
    ("texts", "line"),
    [
        (["Falling back"], "WARNING Falling back to EMULATION"),
        (["eager", "MARLIN"], "INFO Using 'MARLIN' NvFp4 MoE backend"),
        (["falling back"], ""),
        ([], ""),
    ],
)
def test_the_first_line_with_one_of_the_texts_is_found(texts, line):
    """Without the blanks around it; large and small letters differ."""
    assert forbidden(LOG, texts) == line


def test_a_long_line_is_shortened():
    """It stands in a table."""
    assert forbidden("x" * 1000, ["x"]) == "x" * MOST_QUOTED


async def test_without_expectations_nothing_is_asked(session):
    """Whatever the log says."""
    assert await gate(swapping(URL, session, log=LOG)) == []


async def test_each_expected_text_is_a_finding_of_its_own(session):
    """One that is there with its line, one that is missing refused."""
    swap = swapping(URL, session, expect={"log": ["MARLIN", "FLASHMLA"]}, log=LOG)
    there, missing = await gate(swap)
    assert (there.check, there.answer, there.asked) == ("log", Answer.OK, "its log has 'MARLIN'")
    assert there.came == "INFO Using 'MARLIN' NvFp4 MoE backend"
    assert (missing.answer, missing.asked) == (Answer.REFUSED, "its log has 'FLASHMLA'")
    assert missing.came == "it has not"


@pytest.mark.parametrize(
    ("texts", "answer", "came"),
    [
        (["Traceback", "Falling back"], Answer.REFUSED, "WARNING Falling back to EMULATION"),
        (["Traceback", "CUDA error"], Answer.OK, "it has none"),
    ],
)
async def test_the_forbidden_texts_are_one_question(session, texts, answer, came):
    """With all of them, and the line that has one."""
    swap = swapping(URL, session, expect={"forbidden_log": texts}, log=LOG)
    (one,) = await gate(swap)
    assert (one.answer, one.came) == (answer, came)
    assert one.asked == f"its log has none of {texts[0]!r}, {texts[1]!r}"


async def test_a_log_that_could_not_be_read_has_nothing(session):
    """What had to be in it is missing, what must not be is not there."""
    swap = swapping(URL, session, expect={"log": ["a"], "forbidden_log": ["b"]})
    assert [one.answer for one in await gate(swap)] == [Answer.REFUSED, Answer.OK]
