"""The API's description is valid OpenAPI, complete, and true."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import create_model

from supervisor.web.answers.status import StatusAnswer
from supervisor.web.description import describe
from supervisor.web.endpoints import ENDPOINTS
from tests.fakes.snapshots import full_snapshot, stored_drill
from tests.fakes.world import FullDisk

DESCRIPTION = describe(ENDPOINTS, "1.2.3")


def references(value: Any) -> Iterator[str]:
    """Yield every ``$ref`` inside *value*."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


def test_it_is_valid_openapi():
    """The standard's own schema accepts it."""
    validator = pytest.importorskip("openapi_spec_validator")
    validator.OpenAPIV31SpecValidator(json.loads(json.dumps(DESCRIPTION))).validate()


def test_every_reference_leads_to_a_schema_and_every_schema_is_used():
    """The named schemas are exactly those that something refers to."""
    names = {f"#/components/schemas/{name}" for name in DESCRIPTION["components"]["schemas"]}
    assert set(references(DESCRIPTION)) == names


def test_every_schema_is_valid():
    """Each is JSON Schema, draft 2020-12, as OpenAPI 3.1 has it."""
    schemas = DESCRIPTION["components"]["schemas"]
    assert {"StatusAnswer", "HaltOrder", "Problem"} <= set(schemas)
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)


def test_every_operation_describes_the_parameters_of_its_path():
    """A name in braces is a required parameter, and there is no other in the path."""
    found = {
        path: [each["name"] for each in operation["parameters"] if each["in"] == "path"]
        for path, operations in DESCRIPTION["paths"].items()
        for operation in operations.values()
    }
    assert {path: names for path, names in found.items() if names} == {
        "/api/v1/drills/{id}": ["id"],
        "/api/v1/heartbeats/{name}": ["name"],
        "/api/v1/silences/{number}": ["number"],
    }


def canonical(path: str) -> str:
    """Write a path as routes do: without the pattern of a part."""
    return re.sub(r"\{(\w+):[^}]*\}", r"{\1}", path)


async def test_it_names_every_route(api):
    """The served description names each route but HEAD, itself too, and no other."""
    answer = await api.get("/api/v1/openapi.json")
    described = {
        (method.upper(), path)
        for path, operations in answer.json["paths"].items()
        for method in operations
    }
    unlisted = {(each.method, canonical(each.path)) for each in ENDPOINTS if not each.listed}
    assert described == {route for route in api.routes if route[0] != "HEAD"} - unlisted
    assert ("GET", "/api/v1/openapi.json") in described
    assert answer.json["info"]["version"] == "1.2.3"
    assert answer.json["openapi"].startswith("3.1.")


def test_an_endpoint_that_is_not_listed_is_not_described():
    """Neither its path nor the models that only it has appear."""
    status = next(each for each in ENDPOINTS if each.answer is StatusAnswer)
    description = describe([replace(status, listed=False)], "1")
    assert description["paths"] == {}
    assert set(description["components"]["schemas"]) == {"Problem"}


def test_every_operation_has_a_name_of_its_own():
    """Generated clients name their functions after it."""
    names = [
        operation["operationId"]
        for operations in DESCRIPTION["paths"].values()
        for operation in operations.values()
    ]
    assert len(set(names)) == len(names) == sum(each.listed for each in ENDPOINTS)
    assert {"get_drills", "get_drills_id", "post_halt", "delete_halt", "get_healthz"} <= set(names)


def test_query_parameters_are_described():
    """Each has its type, its limits or its list of values, and none is required."""
    parameters = {
        parameter["name"]: parameter
        for parameter in DESCRIPTION["paths"]["/api/v1/drills"]["get"]["parameters"]
    }
    assert list(parameters) == [
        *("gateway", "group", "path", "outcome", "kind", "campaign", "since", "before", "limit")
    ]
    assert parameters["limit"]["schema"]["maximum"] == 1000
    assert "passed" in parameters["outcome"]["schema"]["anyOf"][0]["enum"]
    assert parameters["path"]["description"] == "A part of the path's text form."
    assert not any(parameter["required"] for parameter in parameters.values())


def test_only_changes_always_need_the_token():
    """Reading may go without, from this machine; health is open."""
    paths = DESCRIPTION["paths"]
    assert paths["/api/v1/halt"]["post"]["security"] == [{"token": []}]
    assert paths["/api/v1/halt"]["delete"]["security"] == [{"token": []}]
    assert paths["/api/v1/status"]["get"]["security"] == [{}, {"token": []}, {"password": []}]
    assert paths["/healthz"]["get"]["security"] == []


def described_schema(path: str, method: str, status: int) -> dict[str, Any]:
    """Find the schema of one answer."""
    described = DESCRIPTION["paths"][path][method.lower()]["responses"][str(status)]
    return {
        **described["content"]["application/json"]["schema"],
        "components": DESCRIPTION["components"],
    }


@pytest.mark.parametrize(
    ("method", "path", "template", "status"),
    [
        ("GET", "/readyz", "/readyz", 503),
        ("GET", "/api/v1/status", "/api/v1/status", 200),
        ("GET", "/api/v1/coverage", "/api/v1/coverage", 200),
        ("GET", "/api/v1/coverage?state=x", "/api/v1/coverage", 400),
        ("GET", "/api/v1/drills", "/api/v1/drills", 200),
        ("GET", "/api/v1/drills?limit=x", "/api/v1/drills", 400),
        ("GET", "/api/v1/drills/d1", "/api/v1/drills/{id}", 200),
        ("GET", "/api/v1/drills/unknown", "/api/v1/drills/{id}", 404),
        ("POST", "/api/v1/halt", "/api/v1/halt", 200),
        ("DELETE", "/api/v1/halt?everywhere=x", "/api/v1/halt", 400),
    ],
)
async def test_what_is_answered_is_as_described(api, method, path, template, status):
    """Every answer is valid by the schema of its status, a problem too."""
    api.world.snapshot = full_snapshot()
    api.world.stored = [stored_drill("d1", seen={"wire": []})]
    answer = await api.change(method, path)
    assert answer.status == status
    Draft202012Validator(described_schema(template, method, status)).validate(answer.json)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/drills"),
        ("GET", "/api/v1/drills/{id}"),
        ("POST", "/api/v1/halt"),
        ("DELETE", "/api/v1/halt"),
    ],
)
async def test_a_broken_store_is_a_described_problem(api, method, path):
    """Everything that asks the store may answer 503, and says so."""
    api.world.error = FullDisk()
    answer = await api.change(method, path.replace("{id}", "d1").replace("{number}", "7"))
    assert answer.status == 503
    Draft202012Validator(described_schema(path, method, 503)).validate(answer.json)


async def test_an_answer_without_a_body_is_described_without_one(api):
    """Resuming answers 204, and the description has no content for it."""
    answer = await api.change("DELETE", "/api/v1/halt")
    responses = DESCRIPTION["paths"]["/api/v1/halt"]["delete"]["responses"]
    assert "content" not in responses[str(answer.status)]


def test_two_models_of_one_name_are_refused():
    """One would otherwise describe the other's answers."""
    other = create_model("StatusAnswer", other=(int, ...))
    status = next(each for each in ENDPOINTS if each.answer is StatusAnswer)
    with pytest.raises(ValueError, match="two models are called StatusAnswer"):
        describe([status, replace(status, path="/other", answer=other)], "1")
