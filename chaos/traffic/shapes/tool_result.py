"""The turn after a tool call: the model has to use what the tool said."""

from chaos.protocol.conversation import Ask, ToolCall, ToolSpec, Turn
from chaos.traffic.note_tool import as_json
from chaos.traffic.shape import ClientProfile, Expectation, Task, TrafficShape

FIND_PARCEL = ToolSpec(
    name="find_parcel",
    description="Find a parcel by its number and tell its tracking code.",
    parameters={
        "type": "object",
        "properties": {"number": {"type": "integer"}},
        "required": ["number"],
    },
)
CALL_ID = "call00001"
"""Nine letters and digits: the only form of an id that every provider takes (Mistral's)."""


class ToolResult(TrafficShape):
    """A whole conversation: question, call, result; only the result holds the nonce."""

    name = "tool_result"
    summary = "A conversation with a tool's result, which the answer has to use."
    needs_tools = True

    def task(self, nonce: str, *, max_tokens: int, profile: ClientProfile | None = None) -> Task:
        """Ask for what the tool has said."""
        del profile
        question = (
            "What is the tracking code of parcel 7? Use the tool find_parcel once, and then "
            "answer in one sentence that contains the code."
        )
        call = ToolCall(CALL_ID, FIND_PARCEL.name, as_json({"number": 7}))
        result = as_json({"number": 7, "tracking_code": nonce})
        ask = Ask(
            turns=(
                Turn("user", question),
                Turn("assistant", tool_calls=(call,)),
                Turn("tool", result, tool_call_id=CALL_ID),
            ),
            tools=(FIND_PARCEL,),
            max_tokens=max_tokens,
        )
        return Task(ask, Expectation(needle=nonce))
