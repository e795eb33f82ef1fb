"""The description of the add-in's API, and whether the API is as it says."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it has no stubs, and types are not what is tested

from greenroom.web.addin_openapi import openapi_document
from greenroom.web.addin_problems import TITLES
from support.addin_api import BASE, BEARER, page
from support.in_loop import serving

SETTINGS = """
[generation]
mode = "all"
max-examples = 15
[checks.positive_data_acceptance]
expected-statuses = ["2xx", 401, 403, 404, 409, 410]  # a ticket that somebody makes up is gone
[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 413, 415, 422]
"""


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["operationId"]: one for path in document["paths"].values() for one in path.values()}


def test_everything_that_can_be_asked_is_described() -> None:
    document = openapi_document([3, 1])
    assert set(operations(document)) == {
        "reserve", "refresh", "release", "ahead", "personalRooms", "personalInstructions", "openapi",
    }  # fmt: skip
    assert all(path.startswith(f"{BASE}/") for path in document["paths"])
    assert document["components"]["schemas"]["ReserveRequest"]["properties"]["integration"]["enum"] == [1, 3]
    assert set(document["components"]["schemas"]["ProblemAnswer"]["properties"]["code"]["enum"]) == set(TITLES)


def test_every_error_of_every_question_is_described_as_a_problem() -> None:
    document = openapi_document([1])
    for name, one in operations(document).items():
        errors = {status: answer for status, answer in one["responses"].items() if int(status) >= 400}
        if name == "openapi":
            assert one["security"] == []
            continue
        assert {"401", "403", "404", "422", "429", "500", "503"} <= set(errors)
        assert all(set(answer["content"]) == {"application/problem+json"} for answer in errors.values())
        assert "Retry-After" in errors["429"]["headers"]
    assert set(document["components"]["securitySchemes"]) == {"bearer", "exchange"}


async def test_the_document_is_served_to_everybody_and_answers_are_as_it_says() -> None:
    async with page() as asking:
        answer = await asking.get("/openapi.json", headers={})
        assert answer.status_code == 200
        document = answer.json()
        assert document == openapi_document([1])
        for schema, told in (
            ("ReservationAnswer", (await asking.reserve()).json()),
            ("AheadAnswer", (await asking.post("/reservations/ahead", {"integration": 1, "count": 2})).json()),
            ("PersonalRoomsAnswer", (await asking.get("/personal-rooms?integration=1")).json()),
            ("ProblemAnswer", (await asking.reserve(headers={})).json()),
        ):
            wanted = {"$ref": f"#/components/schemas/{schema}", "components": document["components"]}
            Draft202012Validator(wanted).validate(told)


@pytest.mark.slow
@pytest.mark.parametrize("token", ["good", "wrong", "none"])
async def test_schemathesis_finds_nothing(tmp_path: Path, token: str) -> None:
    (tmp_path / "settings.toml").write_text(SETTINGS)
    header = {"good": BEARER["Authorization"], "wrong": "Bearer wrong"}.get(token)
    async with (
        page(unclaimed=1_000, per_minute=100_000, bad_tokens=100_000) as asking,
        serving(asking.app) as url,
    ):
        found = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(tmp_path / "settings.toml")),
            *("run", f"{url}{BASE}/openapi.json", "--checks", "all", "--no-color", "--warnings", "off"),
            "--generation-deterministic",
            *(() if token == "good" else ("--phases", "fuzzing", "--max-examples", "4")),
            *(() if header is None else ("-H", f"Authorization: {header}")),
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        told, _ = await found.communicate()
    assert found.returncode == 0, told.decode()
    assert b"Tested: 6" in told, told.decode()
