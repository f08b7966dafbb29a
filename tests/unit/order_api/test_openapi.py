"""The OpenAPI document and its HTML page."""

import re

import jsonschema
from order_api.problem import PROBLEM_TYPES
from orderboard_contracts.menu import MENU
from unit.order_api.fakes import RunningApi, running_api


async def test_limits_and_menu_are_in_the_schema(api: RunningApi) -> None:
    """A client can read every limit before it sends anything."""
    schemas = (await api.http.get("/openapi.json")).json()["components"]["schemas"]

    line = schemas["OrderLine"]["properties"]
    order = schemas["OrderRequest"]["properties"]
    assert line["sku"]["enum"] == list(MENU)
    assert (line["quantity"]["minimum"], line["quantity"]["maximum"]) == (1, 50)
    assert (order["lines"]["minItems"], order["lines"]["maxItems"]) == (1, 20)
    assert order["note"]["anyOf"][0]["maxLength"] == 280


async def test_every_operation_describes_its_errors(api: RunningApi) -> None:
    """Each error is problem+json with the Problem schema; retryable ones have Retry-After."""
    document = (await api.http.get("/openapi.json")).json()

    operations = {
        f"{method} {path}": operation for path, item in document["paths"].items() for method, operation in item.items()
    }
    assert set(operations["post /orders"]["responses"]) == {"202", "400", "408", "413", "415", "422", "500", "503"}
    assert set(operations["get /orders/{order_id}"]["responses"]) == {"200", "404", "422", "500", "503"}
    for operation in operations.values():
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                assert response["content"] == {
                    "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
                }
                assert ("Retry-After" in response["headers"]) == (status in {"404", "503"})


async def test_the_examples_are_accepted(api: RunningApi) -> None:
    """An example from the description gets a 202, and conforms to the schema beside it."""
    document = (await api.http.get("/openapi.json")).json()
    content = document["paths"]["/orders"]["post"]["requestBody"]["content"]["application/json"]

    for example in content["examples"].values():
        jsonschema.validate(example["value"], {**content["schema"], "components": document["components"]})
        assert (await api.place(example["value"])).status_code == 202


async def test_faults_are_described_only_where_they_are_allowed(api: RunningApi) -> None:
    """The document describes this API, not one with other settings."""
    async with running_api(allow_faults=True) as permissive:
        described = (await permissive.http.get("/openapi.json")).json()["components"]["schemas"]["OrderRequest"]
    here = (await api.http.get("/openapi.json")).json()["components"]["schemas"]["OrderRequest"]

    assert "fault" in described["properties"]
    assert "fault" not in here["properties"]


async def test_a_token_is_described_where_one_is_needed() -> None:
    """Every operation except the probes requires it."""
    async with running_api(api_token="t") as api:
        document = (await api.http.get("/openapi.json")).json()

    assert document["components"]["securitySchemes"] == {"token": {"type": "http", "scheme": "bearer"}}
    assert document["paths"]["/orders"]["post"]["security"] == [{"token": []}]
    assert "401" in document["paths"]["/orders"]["post"]["responses"]
    assert "security" not in document["paths"]["/healthz"]["get"]


async def test_the_html_page_needs_no_network(api: RunningApi) -> None:
    """It lists every address, and loads no script, style sheet or image."""
    page = (await api.http.get("/docs")).text

    for address in ("POST /orders", "GET /orders/{order_id}", "POST /orders/{order_id}/cancellation", "GET /menu"):
        assert address in page
    assert re.findall(r"<(?:script|link|img|iframe)|src=|https?://", page) == []


async def test_every_problem_type_has_a_page(api: RunningApi) -> None:
    """The type of a problem is an address that explains it."""
    for name, each in PROBLEM_TYPES.items():
        response = await api.http.get(f"/problems/{name}")
        assert response.status_code == 200
        assert each.explanation in response.text

    assert (await api.http.get("/problems/<script>")).status_code == 404
