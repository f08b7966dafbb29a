"""What a botocore or aiobotocore client can leave out: work on every call that changes nothing of what AWS receives.

How much each of them costs is in docs/performance.md.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

# Options of botocore's Config. https://docs.aws.amazon.com/botocore/latest/reference/config.html
LOW_OVERHEAD_CONFIG: Final[Mapping[str, Any]] = {
    "parameter_validation": False,  # requests are made of checked models, and AWS checks them once more
    "user_agent": "orderboard",  # the default is put together anew for every request
}


def encode_forms_once(client: Any) -> None:
    """Encode the forms of a client of the query protocol, such as SNS, before they are signed.

    Otherwise botocore encodes each twice, to sign and to send it: most of what a PublishBatch costs.
    """

    def encode(params: dict[str, Any], **_: Any) -> None:
        if isinstance(params["body"], dict):
            params["body"] = urlencode(params["body"], doseq=True).encode()

    client.meta.events.register("before-call", encode)
