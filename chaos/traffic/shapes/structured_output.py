"""An answer that has to be JSON of a given schema."""

from chaos.protocol.conversation import Ask, Json, ResponseSchema, Turn
from chaos.traffic.shape import ClientProfile, Expectation, Task, TrafficShape

SCHEMA: Json = {
    "type": "object",
    "properties": {
        "token": {"type": "string"},
        "count": {"type": "integer"},
        "status": {"type": "string", "enum": ["waiting", "ready", "failed"]},
    },
    "required": ["token", "count", "status"],
    "additionalProperties": False,
}


class StructuredOutput(TrafficShape):
    """The values stand in the prompt as words, so that JSON comes only from heeding the schema."""

    name = "structured_output"
    summary = "The answer has to be JSON that fits a schema with a choice and a whole number."

    def task(self, nonce: str, *, max_tokens: int, profile: ClientProfile | None = None) -> Task:
        """Ask for a form to be filled in."""
        del profile
        values = {"token": nonce, "count": 7, "status": "ready"}
        written = ", ".join(f"{key} = {value}" for key, value in values.items())
        ask = Ask(
            turns=(Turn("user", f"Fill in the form as JSON with exactly these values: {written}"),),
            response_schema=ResponseSchema("form", SCHEMA),
            max_tokens=max_tokens,
        )
        return Task(ask, Expectation(schema=SCHEMA, schema_values=values))
