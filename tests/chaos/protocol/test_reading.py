"""Tests of what a reading tells of itself."""

import pytest

from chaos.protocol.conversation import ToolCall
from chaos.protocol.reading import Defect, DefectFound, Reading


@pytest.mark.parametrize(
    ("reading", "has_output"),
    [
        (Reading(), False),
        (Reading(text=" \n"), False),
        (Reading(reasoning="Hm.", refusal="No."), False),
        (Reading(text="Yes."), True),
        (Reading(tool_calls=(ToolCall(None, "f", ""),)), True),
        (Reading(vectors=((0.5,),)), True),
    ],
)
def test_output_is_what_a_caller_would_use(reading, has_output):
    """Text, calls and vectors are output; blanks, reasoning and refusals are none."""
    assert reading.has_output is has_output


def test_a_reading_tells_its_defects():
    """Any of those asked for is enough, and others do not count."""
    reading = Reading(defects=(DefectFound(Defect.NO_FINISH, "at the end"),))
    assert reading.has(Defect.NOT_JSON, Defect.NO_FINISH)
    assert not reading.has(Defect.NOT_JSON)
    assert not Reading().has(*Defect)
