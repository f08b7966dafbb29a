"""The AsyncAPI document: valid by the official schema, and consistent with models and template."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from asyncapi_document import asyncapi
from event_schemas import MODELS
from generate import HERE, TEMPLATE
from jsonschema import Draft7Validator
from orderboard_contracts.events import EVENT_CLASSES
from template_file import Template, TemplateError, load

DOCUMENT: dict[str, Any] = yaml.safe_load((HERE / "asyncapi.yaml").read_text())
SPECIFICATION = json.loads((Path(__file__).parent / "asyncapi" / "3.0.0.json").read_text())


def references(part: object) -> Iterator[str]:
    """Yield every $ref in a part of the document."""
    match part:
        case {"$ref": str(reference)}:
            yield reference
        case dict():
            for member in part.values():
                yield from references(member)
        case list():
            for member in part:
                yield from references(member)


def resolved(reference: str) -> Any:
    """The target of a reference within the document or to a schema file."""
    if not reference.startswith("#/"):
        return json.loads((HERE / reference).read_text())
    here: Any = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        here = here[part]
    return resolved(here["$ref"]) if "$ref" in here else here


def types_of(operation: str) -> set[str]:
    """The types of document that an operation sends or receives."""
    return {resolved(message["$ref"])["name"] for message in DOCUMENT["operations"][operation]["messages"]}


def altered(before: str, after: str, tmp_path: Path) -> Template:
    """The project's template with one change."""
    text = TEMPLATE.read_text()
    assert before in text
    path = tmp_path / "template.yaml"
    path.write_text(text.replace(before, after))
    return load(path)


def test_it_is_valid_asyncapi_3() -> None:
    """The document fits the official JSON Schema of AsyncAPI 3.0.0, bindings included."""
    errors = list(Draft7Validator(SPECIFICATION).iter_errors(DOCUMENT))

    assert [f"{error.json_path}: {error.message}" for error in errors] == []


def test_the_official_schema_would_find_a_mistake() -> None:
    """A channel with a misspelt member is not valid, so the validation means something."""
    broken = json.loads(json.dumps(DOCUMENT))
    broken["channels"]["work"]["adress"] = "{prefix}-work"

    assert not Draft7Validator(SPECIFICATION).is_valid(broken)


def test_every_reference_points_to_something() -> None:
    """No $ref is broken, neither within the document nor to the schema files."""
    for reference in references(DOCUMENT):
        assert resolved(reference)


def test_operations_use_messages_of_their_channel() -> None:
    """Operations refer to messages of their channel, as the specification requires."""
    for operation in DOCUMENT["operations"].values():
        of_the_channel = f"{operation['channel']['$ref']}/messages/"
        assert all(message["$ref"].startswith(of_the_channel) for message in operation["messages"])


def test_each_service_sends_and_receives_its_types() -> None:
    """order-api sends commands to topic and bus, worker receives them and sends outcomes, notifier and rig follow."""
    commands = {"orderboard.order.placed.v1", "orderboard.order.cancellation_requested.v1"}

    assert types_of("order-api.send.orders") == types_of("order-api.send.bus") == commands
    assert types_of("worker.receive.work") == types_of("worker.receive.express") == commands
    assert types_of("worker.send.bus") == set(EVENT_CLASSES) - commands
    assert types_of("notifier.receive.alerts") == set(EVENT_CLASSES) - {
        "orderboard.order.cancellation_requested.v1",
        "orderboard.order.cancelled.v1",
    }
    assert types_of("notifier.send.announcements") == types_of("rig.receive.inbox") == {"orderboard.alert.v1"}
    assert {message["name"] for message in DOCUMENT["components"]["messages"].values()} == set(MODELS)


def test_addresses_and_policies_are_the_templates(tmp_path: Path) -> None:
    """A changed name, filter policy or threshold in the template changes the document."""
    document = asyncapi(altered("priority: [express]", "priority: [express, normal]", tmp_path), "0.1.0")
    consumers = document["operations"]["order-api.send.orders"]["bindings"]["sns"]["consumers"]
    assert consumers[1]["filterPolicy"]["priority"] == ["express", "normal"]

    document = asyncapi(altered("Default: 10000", "Default: 12345", tmp_path), "0.1.0")
    rules = document["channels"]["alerts"]["x-eventbridge-rules"]
    assert rules[0]["eventPattern"]["detail"]["data"]["total_cents"] == [{"numeric": [">=", 12345]}]

    document = asyncapi(altered("Default: orderboard\n", "Default: cafe\n", tmp_path), "0.1.0")
    assert document["channels"]["work"]["bindings"]["sqs"]["queue"]["name"] == "cafe-work"
    assert document["channels"]["work"]["address"] == "{prefix}-work"


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("${Prefix}-inbox\n", "${Prefix}-in\n", "no AWS::SQS::Queue is named orderboard-inbox"),
        ("TopicName: !Sub ${Prefix}-alerts", "TopicName: !Sub ${Prefix}-news", "no AWS::SNS::Topic is named"),
        ("Name: !Ref Prefix", "Name: somewhere", "no AWS::Events::EventBus is named orderboard"),
        ("priority: [normal]", "priority: [usual]", r"filters priority by \['usual'\]"),
        ("priority: [normal]", "urgency: [normal]", "filters by urgency"),
        ("[orderboard.order.rejected.v1]", "[orderboard.order.rejected.v9]", "matches orderboard.order.rejected.v9"),
        ("source: [orderboard.worker]", "source: [worker]", r"matches source \['worker'\]"),
        ("{data: {priority: [express]}}", "{data: {urgency: [express]}}", "matches data.urgency, which"),
        ('{"data": {"total_cents"', '{"data": {"total"', "matches data.total, which"),
        ("TopicArn: !Ref OrdersTopic", "TopicArn: !Ref NoTopic", "does not refer to a resource"),
    ],
)
def test_a_template_that_matches_nothing_is_an_error(before: str, after: str, message: str, tmp_path: Path) -> None:
    """A name, policy or pattern that would silently match nothing is an error that names it."""
    with pytest.raises(TemplateError, match=message):
        asyncapi(altered(before, after, tmp_path), "0.1.0")


@pytest.mark.parametrize("text", ["", "[]", "Resources: {}", "just text"])
def test_a_file_without_a_template_is_an_error(text: str, tmp_path: Path) -> None:
    """A file without parameters and resources is an error that says so."""
    path = tmp_path / "template.yaml"
    path.write_text(text)

    with pytest.raises(TemplateError, match="has no Parameters and Resources"):
        load(path)
