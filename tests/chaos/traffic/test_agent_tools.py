"""Twenty tools with nested schemas."""

from chaos.traffic.agent_tools import FILE_REPORT, TOOLS

LIMITS = {"minimum", "maxItems", "pattern", "maxLength"}
PORTABLE = {"type", "description", "enum", "items", "properties", "required", *LIMITS}


def schemas(schema):
    """Yield *schema* and every one within it."""
    yield schema
    for inner in [*schema.get("properties", {}).values(), schema.get("items")]:
        if inner:
            yield from schemas(inner)


def test_there_are_twenty_and_the_one_to_be_called_comes_last():
    """A model has to look at the whole list."""
    assert len({tool.name for tool in TOOLS}) == 20
    assert TOOLS[-1] is FILE_REPORT


def test_only_words_that_every_provider_knows():
    """A refusal because of an exotic schema would not be the hop's fault."""
    assert all(schema.keys() <= PORTABLE for tool in TOOLS for schema in schemas(tool.parameters))


def test_most_of_them_are_nested():
    """Flat schemas are what the smaller shapes are for."""
    nested = [t for t in TOOLS if any(s.get("properties") for s in list(schemas(t.parameters))[1:])]
    assert len(nested) >= 12


def test_what_is_required_exists():
    """No schema requires a property that it does not have."""
    for tool in TOOLS:
        for schema in schemas(tool.parameters):
            assert set(schema.get("required", ())) <= schema.get("properties", {}).keys()
