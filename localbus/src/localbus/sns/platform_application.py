"""Applications for mobile push, with an endpoint for each device. Their notifications are captured.

Source: https://docs.aws.amazon.com/sns/latest/dg/sns-mobile-application-as-subscriber.html
"""

from __future__ import annotations

from dataclasses import dataclass, field

from localbus.ids import new_id
from localbus.protocol.service import Caller
from localbus.sns.errors import check_arn, invalid, not_found
from localbus.storage.storage import Storage

# Kinds of records: applications by ARN, and endpoints by ARN, which belong to an application by its ARN.
_APPLICATION, _ENDPOINT = "sns.application", "sns.endpoint"


@dataclass(eq=False)
class PlatformEndpoint:
    """One device. `platform` is the push service that reaches it, such as GCM or APNS."""

    arn: str
    platform: str
    attributes: dict[str, str]

    @property
    def enabled(self) -> bool:
        """The attribute Enabled: False stops deliveries."""
        return self.attributes["Enabled"] == "true"


@dataclass(eq=False)
class PlatformApplication:
    """One application. `attributes` are those that were set, credentials among them."""

    arn: str
    attributes: dict[str, str]
    endpoints: dict[str, PlatformEndpoint] = field(default_factory=dict)

    def add(self, arn: str, attributes: dict[str, str]) -> PlatformEndpoint:
        """Add the endpoint of that ARN."""
        platform = self.arn.split("/")[1]
        endpoint = self.endpoints[arn] = PlatformEndpoint(arn, platform, attributes)
        return endpoint

    def register(self, attributes: dict[str, str]) -> PlatformEndpoint:
        """Return the endpoint of a device token: a new one, or the existing one if nothing differs."""
        for endpoint in self.endpoints.values():
            if endpoint.attributes["Token"] == attributes["Token"]:
                if endpoint.attributes != attributes:
                    text = "already exists with the same Token, but different attributes."
                    raise invalid(f"Token Reason: Endpoint {endpoint.arn} {text}")
                return endpoint
        return self.add(f"{self.arn.replace(':app/', ':endpoint/', 1)}/{new_id()}", attributes)


class PlatformApplications:
    """The applications of every account and region."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._applications: dict[str, PlatformApplication] = {}

    def restore(self) -> None:
        """Read all applications and endpoints from the storage, when the engine starts."""
        for _, arn, attributes in self._storage.records(_APPLICATION):
            self._applications[arn] = PlatformApplication(arn, attributes)
        for application_arn, arn, attributes in self._storage.records(_ENDPOINT):
            self._applications[application_arn].add(arn, attributes)

    def save(self, application: PlatformApplication) -> None:
        """Store the attributes of an application."""
        self._storage.save(_APPLICATION, application.arn, lambda: application.attributes)

    def save_endpoint(self, endpoint: PlatformEndpoint) -> None:
        """Store the attributes of an endpoint."""
        self._storage.save(_ENDPOINT, endpoint.arn, lambda: endpoint.attributes, _application_arn(endpoint.arn))

    def create(self, platform: str, name: str, attributes: dict[str, str], caller: Caller) -> PlatformApplication:
        """Create an application, or return the existing one."""
        arn = f"{_arn_prefix(caller)}{platform}/{name}"
        application = self._applications.setdefault(arn, PlatformApplication(arn, attributes))
        self.save(application)
        return application

    def delete(self, arn: str, caller: Caller) -> None:
        """Delete an application with its endpoints, if it exists."""
        check_arn(arn, "PlatformApplicationArn")
        if arn.startswith(_arn_prefix(caller)):
            self._applications.pop(arn, None)
            self._storage.delete(_APPLICATION, arn)
            self._storage.delete_owned(_ENDPOINT, arn)

    def own(self, caller: Caller) -> dict[str, PlatformApplication]:
        """Return the applications of the caller's account and region, by ARN."""
        return {arn: one for arn, one in self._applications.items() if arn.startswith(_arn_prefix(caller))}

    def application(self, arn: str, caller: Caller) -> PlatformApplication:
        """Return the caller's application of that ARN; raises NotFound."""
        check_arn(arn, "PlatformApplicationArn")
        found = self._applications.get(arn) if arn.startswith(_arn_prefix(caller)) else None
        if found is None:
            raise not_found("PlatformApplication")
        return found

    def find_endpoint(self, arn: str) -> PlatformEndpoint | None:
        """Return the endpoint of that ARN in any account, if it exists."""
        application = self._applications.get(_application_arn(arn))
        return application.endpoints.get(arn) if application is not None else None

    def endpoint(self, arn: str, caller: Caller) -> PlatformEndpoint:
        """Return the caller's endpoint of that ARN; raises NotFound."""
        check_arn(arn, "EndpointArn")
        found = self.find_endpoint(arn) if _application_arn(arn).startswith(_arn_prefix(caller)) else None
        if found is None:
            raise not_found("Endpoint")
        return found

    def delete_endpoint(self, arn: str, caller: Caller) -> None:
        """Delete an endpoint, if it exists. Its subscriptions stay, as on AWS."""
        check_arn(arn, "EndpointArn")
        application = self.own(caller).get(_application_arn(arn))
        if application is not None:
            application.endpoints.pop(arn, None)
            self._storage.delete(_ENDPOINT, arn, application.arn)


def _arn_prefix(caller: Caller) -> str:
    return f"arn:aws:sns:{caller.region}:{caller.account}:app/"


def _application_arn(endpoint_arn: str) -> str:
    return endpoint_arn.rpartition("/")[0].replace(":endpoint/", ":app/", 1)
