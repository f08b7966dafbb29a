"""Change sets of the templates of deploy/: each resource is a line, and a rule of a template is kept."""

import secrets
from pathlib import Path
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError
from orderboard_stack.backend import Endpoint
from orderboard_stack.change_set import ChangeSet
from orderboard_stack.clients import CLIENT_CONFIG
from template_file import document

DEPLOY: Final = Path(__file__).parents[3] / "deploy"
GIVEN: Final = {
    "OrderApiImage": ":1",
    "WorkerImage": ":1",
    "VpcId": "vpc-12345678",
    "PublicSubnetIds": "subnet-11111111,subnet-22222222",
    "PrivateSubnetIds": "subnet-33333333,subnet-44444444",
    "AllowHttp": "true",
}
CERTIFICATE: Final = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
# The template, the parameters beside those that it must have, and the conditions that then hold.
CASES: Final = [
    ("images", {}, ()),
    ("network", {}, ("HasEndpoints",)),
    ("network", {"ZoneCount": "3", "Egress": "nat"}, ("ThirdZone", "HasNat", "ThirdNat")),
    ("network", {"Capacity": "ec2"}, ("HasEndpoints", "HasAgentEndpoints")),
    ("services", {}, ("HasWorkers",)),
    ("services", {"WorkerRunsOn": "lambda", "WorkerImage": ""}, ()),
    ("services", {"OtlpEndpoint": "https://c.example.com"}, ("HasWorkers",)),
    ("services", {"OtlpEndpoint": "https://c.example.com:443/otlp"}, ("HasWorkers",)),
    ("services", {"OtlpEndpoint": "http://10.0.0.9:4318/otlp"}, ("HasWorkers", "OpensOtlp", "WorkersOpenOtlp")),
    ("services", {"CertificateArn": CERTIFICATE, "AllowHttp": "false"}, ("HasWorkers", "HasTls")),
    ("services", {"Capacity": "ec2", "Architecture": "arm64"}, ("HasWorkers", "OnEc2", "OnArm")),
    ("services", {"DomainName": "a.example.com", "HostedZoneId": "Z1"}, ("HasWorkers", "HasDomainName", "MakesRecord")),
]


def lines(backend: Endpoint, name: str, parameters: dict[str, str]) -> dict[str, str]:
    """The resources of a change set of a new stack, with their types."""
    client: Any = backend.session().client("cloudformation", endpoint_url=backend.endpoint_url, config=CLIENT_CONFIG)
    stack_name = f"test-{secrets.token_hex(4)}"
    try:
        changes = ChangeSet(client, stack_name, "first").create(
            (DEPLOY / f"{name}.yaml").read_text(), parameters, of_new_stack=True
        )
    finally:
        client.delete_stack(StackName=stack_name)
    assert {each.action for each in changes} == {"Add"}
    return {each.logical_id: each.resource_type for each in changes}


@pytest.mark.parametrize(("name", "parameters", "holding"), CASES)
def test_a_change_set_lists_every_resource(
    backend: Endpoint, name: str, parameters: dict[str, str], holding: tuple[str, ...]
) -> None:
    """All types are known so far; resources of conditions that do not hold are left out."""
    if backend.name == "localstack" and name == "network":
        pytest.skip("LocalStack 4.14 refuses Fn::Cidr within Fn::Select")
    resources = document(DEPLOY / f"{name}.yaml")["Resources"].items()

    found = lines(backend, name, {**(GIVEN if name == "services" else {}), **parameters})

    assert found == {key: each["Type"] for key, each in resources if each.get("Condition") in (None, *holding)}


def test_http_needs_a_word(backend: Endpoint) -> None:
    """Without a certificate and without AllowHttp the template's rule refuses."""
    if backend.name == "localstack":
        pytest.skip("LocalStack 4.14 does not read the rules of a template")
    with pytest.raises(ClientError, match="Give CertificateArn for TLS, or AllowHttp=true"):
        lines(backend, "services", {key: value for key, value in GIVEN.items() if key != "AllowHttp"})
