"""Every experiment in lab/: it is reproduced on the embedded backend, can fail, and leaves nothing behind."""

import functools
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from botocore.validate import ParamValidator
from orderboard.lab.backend import LabBackend
from orderboard.lab.catalogue import Entry, everything, find
from orderboard.lab.result import Checked, Outcome, Result, as_text, passes
from orderboard.lab.run import Runner
from orderboard.lab.steps import Call, Remove, Start, Until
from orderboard.lab.values import resolve

ENTRIES = everything()
_SESSION = botocore.session.get_session()
every_experiment = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)


@dataclass
class Results:
    """The results of experiments on one backend; each is run once."""

    backend: LabBackend
    _known: dict[str, Result] = field(default_factory=dict)

    def of(self, entry: Entry) -> Result:
        """Return the result of an experiment."""
        if entry.name not in self._known:
            run = Runner(entry, self.backend)
            self._known[entry.name] = run()
        return self._known[entry.name]

    def client(self, service: str) -> Any:
        """A boto3 client of the backend."""
        endpoint = self.backend.endpoint
        make: Any = endpoint.session().client
        return make(service, endpoint_url=endpoint.endpoint_url)


@pytest.fixture(scope="module")
def results(manual_backend: LabBackend) -> Results:
    """The results of this module's experiments."""
    return Results(manual_backend)


@every_experiment
def test_an_experiment_is_reproduced(entry: Entry, results: Results) -> None:
    """The embedded backend behaves as AWS's documentation says, in each check."""
    result = results.of(entry)

    assert result.outcome is Outcome.REPRODUCED, result.reason
    assert len(result.checks) >= max(1, len(entry.experiment.checks))
    assert result.left_behind == []


@every_experiment
def test_each_check_can_fail(entry: Entry, results: Results) -> None:
    """No check of an experiment passes whatever is found."""
    for checked in results.of(entry).checks:
        assert not passes(checked.found, checked.holds, _wrong(checked)), checked.text


def test_nothing_is_left_behind(results: Results) -> None:
    """No resource of any experiment is on the backend after all of them."""
    for entry in ENTRIES:
        results.of(entry)

    assert [name for name in _resources(results) if "lab-" in name] == []


@every_experiment
def test_an_experiment_can_be_read(entry: Entry) -> None:
    """It has a claim, what it means for one's code, and a page of AWS's documentation, in whole sentences."""
    experiment = entry.experiment

    assert experiment.source.startswith("https://docs.aws.amazon.com/")
    assert experiment.claim.endswith(".")
    assert experiment.means.endswith(".")
    assert all(check.text for check in experiment.checks)


@every_experiment
def test_parameters_fit_the_service(entry: Entry) -> None:
    """Each call has the parameters of AWS's service model, by name and type."""
    values: dict[str, Any] = defaultdict(lambda: "arn:aws:sqs:us-east-1:000000000000:a-value-of-a-response")
    values |= {"start": "1700000000", "end": "1700000000"}  # times of responses
    for call in _calls(entry):
        parameters = resolve(call.parameters, values, "lab-00000000")

        report = ParamValidator().validate(parameters, _input(call.service, call.operation))

        assert not report.has_errors(), f"{call.operation}: {report.generate_report()}"


def test_a_wrong_expectation_differs(results: Results) -> None:
    """An experiment whose expectation does not hold says what was found instead."""
    entry = find("sqs-no-selection")
    check = entry.experiment.checks[0]
    entry.experiment.steps[entry.experiment.steps.index(check)] = type(check)(
        check.text, check.found, check.holds, ["espresso"]
    )

    result = Runner(entry, results.backend)()

    assert result.outcome is Outcome.DIFFERS
    assert result.reason == f"{check.text}: found flat white"


def _wrong(checked: Checked) -> str | int | list[str]:
    """Return an expectation that what was found does not fulfil."""
    found = checked.found
    match checked.holds:
        case "is not":
            return found
        case "is one of":
            return ["something else"]
        case "at least":
            return str(float(str(found)) + 1)
        case "at most":
            return str(float(str(found)) - 1)
        case "contains":
            return "something else"
        case _:
            wanted = as_text(checked.expected)
            return [*wanted, "one more"] if isinstance(wanted, list) else f"{wanted} and more"


def _calls(entry: Entry) -> Iterator[Call]:
    for step in entry.experiment.all_steps():
        match step:
            case Call():
                yield step
            case Start(call) | Until(call) | Remove(call):
                yield call


@functools.cache
def _input(service: str, operation: str) -> Any:
    model = _model(service)
    names = {xform_name(each): each for each in model.operation_names}
    return model.operation_model(names[operation]).input_shape


@functools.cache
def _model(service: str) -> Any:
    return _SESSION.get_service_model(service)


def _resources(results: Results) -> Iterator[str]:
    """The names of all resources of the kinds that experiments make."""
    sqs, sns, events = results.client("sqs"), results.client("sns"), results.client("events")
    yield from sqs.list_queues().get("QueueUrls", [])
    yield from (each["TopicArn"] for each in sns.list_topics()["Topics"])
    yield from (each["SubscriptionArn"] for each in sns.list_subscriptions()["Subscriptions"])
    yield from (each["Name"] for each in events.list_event_buses()["EventBuses"])
    yield from (each["Name"] for each in events.list_rules()["Rules"])
    yield from (each["ArchiveName"] for each in events.list_archives()["Archives"])
    functions = results.client("lambda")
    yield from (each["FunctionName"] for each in functions.list_functions()["Functions"])
    yield from (each["EventSourceArn"] for each in functions.list_event_source_mappings()["EventSourceMappings"])
    yield from (each["RoleName"] for each in results.client("iam").list_roles()["Roles"])
    yield from results.client("dynamodb").list_tables()["TableNames"]
