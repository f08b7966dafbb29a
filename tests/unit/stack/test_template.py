"""The template as the services see it: its outputs, its event types, its alarms."""

from pathlib import Path

from orderboard_contracts.events import EVENT_CLASSES
from orderboard_contracts.routing import EVENT_TYPE_ATTRIBUTE, PRIORITY_ATTRIBUTE
from orderboard_stack.deploy import TEMPLATE
from orderboard_stack.outputs import StackOutputs
from template_file import document
from unit.stack.template_model import Template, as_list, metrics_of, referred

DOCUMENT = document(TEMPLATE)


def test_outputs_are_what_the_services_read() -> None:
    """The template's outputs and the fields of StackOutputs are the same."""
    outputs = {key: f"the {key}" for key in DOCUMENT["Outputs"]}

    read = StackOutputs.of(outputs)

    assert set(read.environment().values()) == set(outputs.values())


def test_every_event_type_in_the_template_exists() -> None:
    """Filter policies and rules name event types and attributes as the contracts do."""
    template = Template(DOCUMENT)
    text = TEMPLATE.read_text()

    named = {word.strip('[]",') for word in text.split() if word.strip('[]",').startswith("orderboard.order.")}
    keys = {
        key for name in ("WorkSubscription", "ExpressSubscription") for key in template.properties(name)["FilterPolicy"]
    }

    assert named <= set(EVENT_CLASSES)
    assert keys == {EVENT_TYPE_ATTRIBUTE, PRIORITY_ATTRIBUTE}


def test_the_package_carries_the_template() -> None:
    """The package's template is localstack/template.yaml."""
    assert TEMPLATE.samefile(Path(__file__).parents[3] / "localstack" / "template.yaml")


def test_alarms_watch_the_queues_of_consumers() -> None:
    """A backlog of orders or alerts raises an alarm, and so do a failing notifier and a queue without a worker."""
    alarms = dict(Template(DOCUMENT).of_type("AWS::CloudWatch::Alarm"))

    watched = {
        (metric["MetricName"], queue)
        for properties in alarms.values()
        for metric in metrics_of(properties)
        for queue in referred(as_list(metric["Dimensions"]))
    }

    assert {
        ("ApproximateAgeOfOldestMessage", "WorkQueue"),
        ("ApproximateAgeOfOldestMessage", "ExpressQueue"),
        ("ApproximateAgeOfOldestMessage", "AlertsQueue"),
        ("Errors", "NotifierFunction"),
        ("NumberOfEmptyReceives", "WorkQueue"),
    } <= watched
