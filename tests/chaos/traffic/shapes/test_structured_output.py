"""An answer that fits a schema."""

from chaos.traffic.shapes.structured_output import SCHEMA, StructuredOutput


def test_the_prompt_holds_no_json():
    """Who ignores the schema finds nothing to copy."""
    assert "{" not in StructuredOutput().task("3fa91c02", max_tokens=5).ask.text


def test_every_value_is_given_and_required():
    """Strict schemas require all properties and know no others."""
    task = StructuredOutput().task("3fa91c02", max_tokens=5)
    assert list(task.expect.schema_values) == list(SCHEMA["properties"]) == SCHEMA["required"]
    assert SCHEMA["additionalProperties"] is False
