"""The API's description, OpenAPI 3.1, made from the endpoints themselves."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from supervisor.web.endpoint import Door, Endpoint
from supervisor.web.problem import Problem

Json = dict[str, Any]

REFERENCE = "#/components/schemas/{model}"

MEANINGS = {
    400: "The request was not understood.",
    401: "The token is missing or wrong.",
    403: "Another site's page asks.",
    404: "There is nothing of this name.",
    408: "The body did not come in time.",
    409: "Something else stands against it.",
    413: "The body is too long.",
    415: "The body is no JSON.",
    422: "It was understood, and cannot be done.",
    500: "It failed inside Understudy.",
    502: "The gateway cannot be asked.",
    503: "The daemon cannot do it now.",
}

SECURITY: dict[Door, list[Json]] = {
    Door.OPEN: [],
    # An empty one: from this machine nothing is needed.
    Door.READ: [{}, {"token": []}, {"password": []}],
    Door.CHANGE: [{"token": []}],
}


def describe(endpoints: Iterable[Endpoint], version: str) -> Json:
    """Describe *endpoints*.

    Raises:
        ValueError: Two models have one name; a bug.
    """
    listed = [endpoint for endpoint in endpoints if endpoint.listed]
    paths: dict[str, Json] = {}
    for endpoint in listed:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Understudy",
            "version": version,
            "description": "What a running daemon knows, and a few commands for it.",
        },
        "paths": paths,
        "components": {
            "schemas": _schemas(listed),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "password": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "Any name; the token is the password.",
                },
            },
        },
    }


def _schemas(endpoints: list[Endpoint]) -> Json:
    models: dict[str, tuple[type[BaseModel], JsonSchemaMode]] = {
        "Problem": (Problem, "serialization")
    }
    for endpoint in endpoints:
        for model, mode in _models(endpoint):
            if models.setdefault(model.__name__, (model, mode)) != (model, mode):
                raise ValueError(f"two models are called {model.__name__}")
    _, schemas = models_json_schema(list(models.values()), ref_template=REFERENCE)
    return dict(schemas["$defs"])


def _models(endpoint: Endpoint) -> Iterator[tuple[type[BaseModel], JsonSchemaMode]]:
    if endpoint.answer is not None:
        yield endpoint.answer, "serialization"
    if endpoint.body is not None:
        yield endpoint.body, "validation"


def _reference(model: type[BaseModel]) -> Json:
    return {"$ref": REFERENCE.format(model=model.__name__)}


def _operation(endpoint: Endpoint) -> Json:
    operation: Json = {
        "operationId": _id(endpoint),
        "summary": endpoint.summary,
        "security": SECURITY[endpoint.door],
        "parameters": [*_in_path(endpoint), *_in_query(endpoint)],
        "responses": {str(endpoint.status): _success(endpoint), **_problems(endpoint)},
    }
    if endpoint.body is not None:
        fields = endpoint.body.model_fields.values()
        operation["requestBody"] = {
            "required": any(field.is_required() for field in fields),
            "content": {"application/json": {"schema": _reference(endpoint.body)}},
        }
    return operation


def _id(endpoint: Endpoint) -> str:
    words = re.findall(r"[a-z]+", endpoint.path.removeprefix("/api/v1"))
    return "_".join((endpoint.method.lower(), *words))


def _in_path(endpoint: Endpoint) -> Iterator[Json]:
    for name in re.findall(r"{(\w+)}", endpoint.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _in_query(endpoint: Endpoint) -> Iterator[Json]:
    if endpoint.query is None:
        return
    schema = endpoint.query.model_json_schema()
    for name, described in schema["properties"].items():
        inline = _inlined(described, schema.get("$defs", {}))
        text = inline.pop("description", None)
        yield {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "schema": inline,
            **({"description": text} if text else {}),
        }


def _inlined(schema: Any, definitions: Json) -> Any:
    """Write *schema* without references: parameters have no place for definitions of their own."""
    if isinstance(schema, list):
        return [_inlined(each, definitions) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    return {name: _inlined(each, definitions) for name, each in schema.items()}


def _success(endpoint: Endpoint) -> Json:
    described: Json = {"description": endpoint.summary}
    if endpoint.answer is not None:
        described["content"] = {"application/json": {"schema": _reference(endpoint.answer)}}
    elif endpoint.media_type:
        described["content"] = {endpoint.media_type: {"schema": {"type": "string"}}}
    return described


def _problems(endpoint: Endpoint) -> Json:
    statuses = {500, *endpoint.errors}
    if endpoint.door is not Door.OPEN:
        statuses.add(401)
    if endpoint.door is Door.CHANGE:
        statuses.add(403)
    if endpoint.query is not None or endpoint.body is not None:
        statuses.add(400)
    return {
        str(status): {
            "description": MEANINGS[status],
            "content": {"application/json": {"schema": _reference(Problem)}},
        }
        for status in sorted(statuses)
    }
