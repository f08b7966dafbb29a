"""aiobotocore and botocore's data without what these services never use: a fifth of a process's memory.

aiobotocore imports httpx, the alternative to aiohttp, if it is installed. botocore keeps the endpoints of all AWS
services and the documentation of every operation in each process.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import Any, Final

from botocore.loaders import JSONFileLoader

_ALTERNATIVE_CLIENTS: Final = ("httpx", "httpx2")
_MISSING: Final = object()


@contextmanager
def _not_importable(names: Iterable[str]) -> Iterator[None]:
    """Let imports of these modules fail: https://docs.python.org/3/reference/import.html#the-module-cache."""
    before = {name: sys.modules.get(name, _MISSING) for name in names}
    modules: dict[str, Any] = sys.modules
    modules.update(dict.fromkeys(before))
    try:
        yield
    finally:
        for name, module in before.items():
            if module is _MISSING:
                del modules[name]
            else:
                modules[name] = module


with _not_importable(_ALTERNATIVE_CLIENTS):
    from aiobotocore.awsrequest import AioAWSResponse
    from aiobotocore.config import AioConfig
    from aiobotocore.httpsession import AIOHTTPSession
    from aiobotocore.parsers import create_parser
    from aiobotocore.session import get_session

__all__ = ["AIOHTTPSession", "AioAWSResponse", "AioConfig", "LeanFiles", "create_parser", "get_session"]


class LeanFiles(JSONFileLoader):
    """Loads botocore's data files: endpoints by their general rule only, service models without documentation.

    The general rule holds for SQS, SNS, EventBridge and DynamoDB in every region. It serves to find the partition and
    the signing name; an endpoint itself comes from the service's rule set.
    """

    def load_file(self, file_path: str) -> Any:
        """Load a file, given without its extension; None if there is none."""
        path = PurePath(file_path)
        match path.name:
            case "endpoints":
                partitions: Any = super().load_file(str(path.with_name("partitions")))
                return {"partitions": [_partition(each) for each in partitions["partitions"]], "version": 3}
            case "service-2":
                # A copy, so that nothing keeps the memory in which the file was read.
                return json.loads(json.dumps(_undocumented(super().load_file(file_path))))
        return super().load_file(file_path)


def _partition(partition: Any) -> dict[str, Any]:
    """Return what botocore's endpoints.json says of a partition, for a service without special endpoints."""
    outputs = partition["outputs"]
    usual, fips = "{service}.{region}.{dnsSuffix}", "{service}-fips.{region}.{dnsSuffix}"
    variants = [
        {"hostname": fips, "dnsSuffix": outputs["dnsSuffix"], "tags": ["fips"]},
        {"hostname": usual, "dnsSuffix": outputs["dualStackDnsSuffix"], "tags": ["dualstack"]},
        {"hostname": fips, "dnsSuffix": outputs["dualStackDnsSuffix"], "tags": ["dualstack", "fips"]},
    ]
    return {
        "partition": partition["id"],
        "partitionName": partition["id"],
        "regionRegex": partition["regionRegex"],
        "dnsSuffix": outputs["dnsSuffix"],
        "defaults": {"hostname": usual, "protocols": ["https"], "signatureVersions": ["v4"], "variants": variants},
        "regions": {name: {} for name in partition["regions"]},
        "services": {},
    }


def _undocumented(data: Any) -> Any:
    if isinstance(data, dict):
        return {
            name: _undocumented(value)
            for name, value in data.items()
            if not (name == "documentation" and isinstance(value, str))
        }
    return [_undocumented(each) for each in data] if isinstance(data, list) else data
