"""Tags of tables.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Tagging.html
"""

from __future__ import annotations

from localbus.dynamodb.errors import invalid, invalid_parameter
from localbus.protocol.service_model import Params

MAX_TAGS = 50


def read_tags(given: list[Params], current: dict[str, str]) -> dict[str, str]:
    """Return tags by key. Raises AwsError for duplicates, for too many, and for keys that are reserved for AWS."""
    tags = {one["Key"]: one["Value"] for one in given}
    if len(tags) < len(given):
        raise invalid_parameter("Duplicate tag keys in the request")
    if any(key.lower().startswith("aws:") for key in tags):
        raise invalid("One or more parameter values were invalid: Tag keys starting with aws: are reserved")
    if len(current | tags) > MAX_TAGS:
        raise invalid("One or more parameter values were invalid: Too many tags: the limit is 50")
    return tags
