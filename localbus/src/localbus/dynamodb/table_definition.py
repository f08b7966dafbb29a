"""The definition in a CreateTable or UpdateTable request: its checks, in AWS's order and words.

Sources: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html and
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from localbus.dynamodb.errors import invalid, invalid_parameter, not_built
from localbus.dynamodb.key_schema import KeySchema
from localbus.errors import AwsError
from localbus.protocol.service_model import Params

MAX_LOCAL_INDEXES = 5
MAX_GLOBAL_INDEXES = 20
MAX_PROJECTED = 100
MAX_UNITS = 1_000_000_000_000
MAX_TAGS = 50

_NAME = re.compile(r"[a-zA-Z0-9_.-]+")
_NOT_BUILT = {
    "ResourcePolicy": "resource policies",
    "GlobalTableSourceArn": "global tables",
    "GlobalTableSettingsReplicationMode": "global tables",
    "VectorIndexes": "vector indexes",
    "VectorIndexOverride": "vector indexes",
    "VectorIndexUpdates": "vector indexes",
    "ReplicaUpdates": "global tables",
    "MultiRegionConsistency": "global tables",
    "GlobalTableWitnessUpdates": "global tables",
}
INDEX_SETTINGS = ("OnDemandThroughput", "WarmThroughput")
SETTINGS = (
    "BillingMode",
    "ProvisionedThroughput",
    "OnDemandThroughput",
    "WarmThroughput",
    "TableClass",
    "DeletionProtectionEnabled",
    "SSESpecification",
)


def check_name(name: str, member: str = "TableName") -> None:
    """Raise AwsError if a name cannot be a table's."""
    if not 3 <= len(name) <= 255:
        raise invalid(f"{member} must be at least 3 characters long and at most 255 characters long")
    if not _NAME.fullmatch(name):
        at = f"{member[:1].lower()}{member[1:]}"
        text = f"1 validation error detected: Value '{name}' at '{at}' failed to satisfy constraint: "
        raise invalid(f"{text}Member must satisfy regular expression pattern: {_NAME.pattern}")


def refuse_missing(params: Params) -> None:
    """Raise AwsError for what localbus does not have."""
    for member, what in _NOT_BUILT.items():
        if params.get(member):
            raise not_built(what)
    if params.get("StreamSpecification", {}).get("StreamEnabled"):
        raise not_built("streams of tables")


def types_of(definitions: Iterable[Params]) -> dict[str, str]:
    """Return the types of attributes by name."""
    types: dict[str, str] = {}
    for one in definitions:
        if one["AttributeName"] in types:
            raise invalid_parameter(f"Duplicate AttributeName in AttributeDefinitions: {one['AttributeName']}")
        types[one["AttributeName"]] = one["AttributeType"]
    return types


def check_table(params: Params) -> dict[str, str]:
    """Check a CreateTable request. Return the types of its attributes. Raises AwsError."""
    check_name(params["TableName"])
    refuse_missing(params)
    check_billing(params)
    for member in ("AttributeDefinitions", "KeySchema"):
        if member not in params:
            raise invalid_parameter(f"Missing {member} in the request")
    types = types_of(params["AttributeDefinitions"])
    names = [one["AttributeName"] for one in params["KeySchema"]]
    if len(names) > len(types):
        raise invalid("Invalid KeySchema: Some index key attribute have no definition")
    if len(names) > 2:
        elements = (f"attributeName={one['AttributeName']}, keyType={one['KeyType']}" for one in params["KeySchema"])
        shown = ", ".join(f"KeySchemaElement({element})" for element in elements)
        text = f"Value '[{shown}]' at 'keySchema' failed to satisfy constraint: Member must have length less than or"
        raise invalid(f"1 validation error detected: {text} equal to 2")
    keys = key_schema(params["KeySchema"], types)
    local, both = params.get("LocalSecondaryIndexes"), params.get("GlobalSecondaryIndexes")
    if local is None and both is None and len(keys.names) != len(types):
        text = "Number of attributes in KeySchema does not exactly match number of attributes defined in"
        raise invalid_parameter(f"{text} AttributeDefinitions")
    if local is not None:
        _check_local_indexes(local, keys, types)
    if both is not None:
        _check_global_indexes(both, params, types)
    indexes = [*(local or ()), *(both or ())]
    _check_distinct(indexes)
    check_all_used(keys.names, indexes, types)
    return types


def check_all_used(names: Sequence[str], indexes: Iterable[Params], types: dict[str, str]) -> None:
    """Raise AwsError if an attribute is defined and no key has it."""
    used = {*names, *(key["AttributeName"] for index in indexes for key in index["KeySchema"])}
    if set(types) - used:
        text = f"AttributeDefinitions: [{', '.join(sorted(types))}], keys used: [{', '.join(sorted(used))}]"
        raise invalid_parameter(f"Some AttributeDefinitions are not used. {text}")


def key_schema(schema: list[Params], types: dict[str, str]) -> KeySchema:
    """Return a key schema with its types. Raises AwsError."""
    names = [one["AttributeName"] for one in schema]
    if any(name not in types for name in names):
        text = f"Keys: [{', '.join(names)}], AttributeDefinitions: [{', '.join(types)}]"
        raise invalid_parameter(f"Some index key attributes are not defined in AttributeDefinitions. {text}")
    if len(names) > 2:
        raise not_built("keys of more than two attributes")
    if len(names) == 2 and names[0] == names[1]:
        raise invalid("Both the Hash Key and the Range Key element in the KeySchema have the same name")
    if schema[0]["KeyType"] != "HASH":
        raise invalid("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
    if len(schema) == 2 and schema[1]["KeyType"] != "RANGE":
        raise invalid("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type")
    first, *more = names
    return KeySchema(first, types[first], *((more[0], types[more[0]]) if more else ()))


def check_billing(params: Params) -> None:
    """Raise AwsError if throughput and billing mode do not fit together."""
    throughput = params.get("ProvisionedThroughput")
    if params.get("BillingMode") == "PAY_PER_REQUEST":
        if throughput is not None:
            text = "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is"
            raise invalid_parameter(f"{text} PAY_PER_REQUEST")
    elif throughput is None:
        text = "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED"
        raise invalid_parameter(text)
    else:
        check_throughput(throughput)


def check_throughput(throughput: Params) -> None:
    """Raise AwsError for more units than AWS has."""
    for member in ("ReadCapacityUnits", "WriteCapacityUnits"):
        if throughput[member] > MAX_UNITS:
            raise invalid(f"Given value {throughput[member]} for {member} is out of bounds")


def _check_local_indexes(indexes: list[Params], keys: KeySchema, types: dict[str, str]) -> None:
    if not indexes:
        raise invalid_parameter("List of LocalSecondaryIndexes is empty")
    if keys.range_name is None:
        text = "Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex"
        raise invalid_parameter(text)
    for index in indexes:
        found, name = key_schema(index["KeySchema"], types), index["IndexName"]
        if found.range_name is None:
            raise invalid_parameter(f"Index KeySchema does not have a range key for index: {name}")
        if found.hash_name != keys.hash_name:
            text = f"{name}. index hash key: {found.hash_name}, table hash key: {keys.hash_name}"
            text = f"Index KeySchema does not have the same leading hash key as table KeySchema for index: {text}"
            raise invalid_parameter(text)
        check_projection(index["Projection"])
    if len(indexes) > MAX_LOCAL_INDEXES:
        raise invalid_parameter(f"Number of LocalSecondaryIndexes exceeds per-table limit of {MAX_LOCAL_INDEXES}")


def _check_global_indexes(indexes: list[Params], params: Params, types: dict[str, str]) -> None:
    if not indexes:
        raise invalid_parameter("List of GlobalSecondaryIndexes is empty")
    for index in indexes:
        check_global_index(index, params.get("BillingMode"), types)
    if len(indexes) > MAX_GLOBAL_INDEXES:
        text = f"GlobalSecondaryIndex count exceeds the per-table limit of {MAX_GLOBAL_INDEXES}"
        raise invalid_parameter(text)


def check_global_index(index: Params, billing_mode: str | None, types: dict[str, str]) -> None:
    """Raise AwsError if a global secondary index is not valid."""
    name, throughput = index["IndexName"], index.get("ProvisionedThroughput")
    key_schema(index["KeySchema"], types)
    check_projection(index["Projection"])
    if billing_mode == "PAY_PER_REQUEST":
        if throughput is not None:
            text = f"ProvisionedThroughput should not be specified for index: {name} when BillingMode is"
            raise invalid_parameter(f"{text} PAY_PER_REQUEST")
    elif throughput is None:
        raise invalid_parameter(f"ProvisionedThroughput must be specified for index: {name}")
    else:
        check_throughput(throughput)


def check_projection(projection: Params) -> None:
    """Raise AwsError if type and attributes of a projection do not fit together."""
    kind, names = projection.get("ProjectionType"), projection.get("NonKeyAttributes")
    if kind is None:
        raise invalid_parameter("Unknown ProjectionType: null")
    if names is not None and kind != "INCLUDE":
        raise invalid_parameter(f"ProjectionType is {kind}, but NonKeyAttributes is specified")
    if names is None and kind == "INCLUDE":
        raise invalid_parameter("ProjectionType is INCLUDE, but NonKeyAttributes is not specified")


def _check_distinct(indexes: list[Params]) -> None:
    names: set[str] = set()
    for index in indexes:
        if index["IndexName"] in names:
            raise invalid_parameter(f"Duplicate index name: {index['IndexName']}")
        names.add(index["IndexName"])
    projected = sum(len(index["Projection"].get("NonKeyAttributes", ())) for index in indexes)
    if projected > MAX_PROJECTED:
        text = f"Number of projected attributes in all of the indexes exceeds limit of {MAX_PROJECTED}"
        raise invalid_parameter(text)


def table_exists(name: str) -> AwsError:
    """Return the error for a table whose name is taken."""
    return AwsError("ResourceInUseException", f"Table already exists: {name}")


def read_tags(given: list[Params], current: dict[str, str]) -> dict[str, str]:
    """Return tags by key. Raises AwsError for duplicates, for too many, and for keys that are reserved for AWS."""
    tags = {one["Key"]: one["Value"] for one in given}
    if len(tags) < len(given):
        raise invalid_parameter("Duplicate tag keys in the request")
    if any(key.lower().startswith("aws:") for key in tags):
        raise invalid_parameter("Tag keys starting with aws: are reserved")
    if len(current | tags) > MAX_TAGS:
        raise invalid_parameter("Too many tags: the limit is 50")
    return tags
