"""The OpenAPI 3.1 document of the add-in's API, made from the table that also answers."""

from collections.abc import Collection
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from greenroom.web.addin_operations import BASE, OPERATIONS, Operation
from greenroom.web.addin_problems import ProblemAnswer

_SEVERAL: Final = (400, 401, 403, 404, 408, 413, 415, 422, 429, 500, 503)
_WITHOUT_BODY: Final = frozenset({408, 413, 415})
_WORDS: Final = {
    200: "As asked.",
    201: "Reserved.",
    204: "Done, or nothing to do.",
    400: "The body is no JSON.",
    401: "No token, or one that is not good enough: sign in again.",
    403: "Not for this person, or not for pages of other sites.",
    404: "No such integration, or no such room.",
    408: "The body did not come in time.",
    409: "Too many rooms that no invitation has brought: use or remove some.",
    410: "The ticket cannot be used: take another. `reason` says why.",
    413: "The body is too large.",
    415: "Something else than application/json.",
    422: "A value is not as described here.",
    429: "Too many requests: wait.",
    500: "A fault of ours; the log knows more.",
    503: "Not now: try again.",
}
_TEXT: Final = {"schema": {"type": "string"}}
_HEADERS: Final[dict[int, dict[str, Any]]] = {
    401: {"WWW-Authenticate": _TEXT | {"description": "Kinds of tokens that are taken."}},
    429: {"Retry-After": {"schema": {"type": "integer", "minimum": 1}, "description": "Seconds."}},
    503: {"Retry-After": {"schema": {"type": "integer", "minimum": 1}, "description": "Seconds."}},
}
_CORRELATION: Final = {"X-Correlation-Id": _TEXT | {"description": "As in the body."}}


def openapi_document(integrations: Collection[int]) -> dict[str, Any]:
    """Make the document for these integrations."""
    asked: set[type[BaseModel]] = {operation.asks for operation in OPERATIONS if operation.method == "POST"}
    answered: set[type[BaseModel]] = {ProblemAnswer}
    for operation in OPERATIONS:
        answered |= {model for model in operation.answers.values() if model is not None}
    models: list[tuple[type[BaseModel], JsonSchemaMode]] = [(model, "validation") for model in asked]
    models += [(model, "serialization") for model in answered]
    models.sort(key=lambda one: one[0].__name__)
    _, definitions = models_json_schema(models, ref_template="#/components/schemas/{model}")
    schemas = definitions["$defs"]
    for schema in schemas.values():
        number = schema["properties"].get("integration")
        if number is not None:
            number["enum"] = sorted(integrations)
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(BASE + operation.path, {})[operation.method.lower()] = _operation(operation, integrations)
    paths[f"{BASE}/openapi.json"] = {"get": _own()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Greenroom for Outlook",
            "version": "1",
            "description": "What the Outlook add-in asks. Nothing of a meeting is sent here: no subject, no attendees.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "An access token of Entra or of the OpenID Connect provider.",
                },
                "exchange": {
                    "type": "http",
                    "scheme": "Exchange",
                    "description": "An identity token of the Exchange Server: `Authorization: Exchange <token>`.",
                },
            },
        },
        "security": [{"bearer": []}, {"exchange": []}],
    }


def _operation(operation: Operation, integrations: Collection[int]) -> dict[str, Any]:
    is_post = operation.method == "POST"
    statuses = sorted({*_SEVERAL, *operation.problems} - (set() if is_post else _WITHOUT_BODY | {400}))
    responses = {str(status): _answer(status, model) for status, model in operation.answers.items()}
    responses |= {str(status): _problem(status) for status in statuses}
    described: dict[str, Any] = {"operationId": operation.name, "summary": operation.summary}
    if is_post:
        content = {"application/json": {"schema": _schema(operation.asks)}}
        described["requestBody"] = {"required": True, "content": content}
    else:
        number = {"type": "integer", "minimum": 0, "maximum": 65_535, "enum": sorted(integrations)}
        described["parameters"] = [{"name": "integration", "in": "query", "required": True, "schema": number}]
    return described | {"responses": responses}


def _own() -> dict[str, Any]:
    content = {"application/json": {"schema": {"type": "object"}}}
    return {
        "operationId": "openapi",
        "summary": "This document",
        "security": [],
        "responses": {"200": {"description": _WORDS[200], "content": content}},
    }


def _answer(status: int, model: type[BaseModel] | None) -> dict[str, Any]:
    described: dict[str, Any] = {"description": _WORDS[status]}
    if model is not None:
        described["content"] = {"application/json": {"schema": _schema(model)}}
    return described


def _problem(status: int) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": _schema(ProblemAnswer)}}
    return {
        "description": _WORDS[status],
        "headers": _CORRELATION | _HEADERS.get(status, {}),
        "content": content,
    }


def _schema(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}
