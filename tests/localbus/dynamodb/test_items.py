"""PutItem, GetItem, UpdateItem and DeleteItem, alone, in batches and in transactions.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html and its neighbours have the rules; the
texts are those that moto's and dynalite's tests recorded from AWS.
"""

# ruff: noqa: E501 (AWS's texts, a case a line)

from __future__ import annotations

from typing import Any

import pytest
from localbus.errors import AwsError
from support.dynamodb import Tables, plain, refusal, wire

INVALID = "One or more parameter values were invalid: "
NOT_VALID = "One or more parameter values are not valid. "
EMPTY_KEY = "The AttributeValue for a key attribute cannot contain an empty string value."
KEY = {"customer": "ada", "time": 1}


def item_of(tables: Tables, key: dict[str, Any]) -> dict[str, Any] | None:
    """An item of `orders`, with plain values."""
    answer = tables.call("GetItem", TableName="orders", Key=wire(key))
    return plain(answer["Item"]) if answer else None


@pytest.mark.parametrize(
    ("item", "text"),
    [
        ({"customer": "ada"}, f"{INVALID}Missing the key time in the item"),
        ({"customer": "ada", "time": "1"}, f"{INVALID}Type mismatch for key time expected: N actual: S"),
        ({"customer": "", "time": 1}, f"{NOT_VALID}{EMPTY_KEY} Key: customer"),
        (KEY | {"status": 5}, f"{INVALID}Type mismatch for Index Key status Expected: S Actual: N IndexName: by-status"),
        (KEY | {"status": ""}, f"{NOT_VALID}A value specified for a secondary index key is not supported. {EMPTY_KEY} IndexName: by-status, IndexKey: status"),
        ({"customer": "x" * 2049, "time": 1}, f"{INVALID}Size of hashkey has exceeded the maximum size limit of2048 bytes"),
        (KEY | {"x": "x" * 409600}, "Item size has exceeded the maximum allowed size"),
        (KEY | {"x": {"SS": []}}, f"1 validation error detected: {INVALID}An string set  may not be empty"),
    ],
)  # fmt: skip
def test_items_that_do_not_fit(shop: Tables, item: dict[str, Any], text: str) -> None:
    """Each is refused with AWS's message."""
    assert refusal(lambda: shop.put("orders", item)) == ("ValidationException", text)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ({"customer": "ada"}, "The provided key element does not match the schema"),
        ({**KEY, "x": "y"}, "The provided key element does not match the schema"),
        ({"customer": "ada", "time": "1"}, "The provided key element does not match the schema"),
        ({"customer": "", "time": 1}, f"{NOT_VALID}{EMPTY_KEY} Key: customer"),
    ],
)
@pytest.mark.parametrize("action", ["GetItem", "UpdateItem", "DeleteItem"])
def test_keys_that_do_not_fit(shop: Tables, action: str, key: dict[str, Any], text: str) -> None:
    """Each is refused with AWS's message."""
    assert refusal(lambda: shop.call(action, TableName="orders", Key=wire(key))) == ("ValidationException", text)


def test_the_largest_item(tables: Tables) -> None:
    """400 KB with the names of its attributes."""
    tables.create("tbl", "id:S")

    tables.put("tbl", {"id": "a", "v": "x" * (400 * 1024 - 4)})

    with pytest.raises(AwsError, match="Item size has exceeded"):
        tables.put("tbl", {"id": "a", "v": "x" * (400 * 1024 - 3)})
    update: Any = {"UpdateExpression": "SET w = :w", "ExpressionAttributeValues": {":w": {"S": "x"}}}
    with pytest.raises(AwsError, match="Item size to update has exceeded the maximum allowed size"):
        tables.call("UpdateItem", TableName="tbl", Key={"id": {"S": "a"}}, **update)


def test_a_number_is_one_key_however_it_is_written(shop: Tables) -> None:
    """1, 1.0 and 1e0 name one item."""
    shop.put("orders", KEY | {"note": "x"})

    for number in ("1.0", "1e0", "+1"):
        key = {"customer": {"S": "ada"}, "time": {"N": number}}
        assert shop.call("GetItem", TableName="orders", Key=key)["Item"]["time"] == {"N": "1"}


@pytest.mark.parametrize(
    ("values", "attributes"),
    [("NONE", None), ("ALL_OLD", {**KEY, "n": 1, "m": "x"}), ("ALL_NEW", {**KEY, "n": 2, "m": "x"}), ("UPDATED_OLD", {"n": 1}),
     ("UPDATED_NEW", {"n": 2})],
)  # fmt: skip
def test_the_values_that_an_update_returns(shop: Tables, values: str, attributes: dict[str, Any] | None) -> None:
    """Of the item before or after it, whole or only what it changed."""
    shop.put("orders", KEY | {"n": 1, "m": "x"})
    update: Any = {"UpdateExpression": "SET n = n + :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}

    answer = shop.call("UpdateItem", TableName="orders", Key=wire(KEY), ReturnValues=values, **update)

    assert answer == ({} if attributes is None else {"Attributes": wire(attributes)})


def test_the_values_that_put_and_delete_return(shop: Tables) -> None:
    """The old item or nothing; the values of updates are refused."""
    members: Any = {"TableName": "orders", "ReturnValues": "ALL_OLD"}
    assert shop.call("PutItem", Item=wire(KEY | {"n": 1}), **members) == {}
    assert shop.call("PutItem", Item=wire(KEY), **members) == {"Attributes": wire(KEY | {"n": 1})}
    assert shop.call("DeleteItem", Key=wire(KEY), **members) == {"Attributes": wire(KEY)}
    assert shop.call("DeleteItem", Key=wire(KEY), **members) == {}
    assert refusal(lambda: shop.call("PutItem", TableName="orders", Item=wire(KEY), ReturnValues="ALL_NEW")) == (
        "ValidationException",
        "Return values set to invalid value",
    )


def test_a_condition_that_fails(shop: Tables) -> None:
    """Nothing is written, and the error has the item if the request asks for it."""
    shop.put("orders", KEY | {"n": 1})
    members: Any = {"TableName": "orders", "ConditionExpression": "attribute_not_exists(customer)"}

    with pytest.raises(AwsError) as raised:
        shop.call("PutItem", Item=wire(KEY), ReturnValuesOnConditionCheckFailure="ALL_OLD", **members)

    assert (raised.value.code, raised.value.message) == (
        "ConditionalCheckFailedException",
        "The conditional request failed",
    )
    assert raised.value.members == {"Item": wire(KEY | {"n": 1})}
    with pytest.raises(AwsError) as raised:
        shop.call("DeleteItem", Key=wire(KEY), **members)
    assert raised.value.members == {}
    assert item_of(shop, KEY) == KEY | {"n": 1}


def test_an_update_of_a_key(shop: Tables) -> None:
    """The key of the table cannot change; that of an index moves the item within it."""
    shop.put("orders", KEY | {"status": "new"})
    new: Any = {"ExpressionAttributeValues": {":x": {"S": "done"}}, "TableName": "orders", "Key": wire(KEY)}

    assert refusal(lambda: shop.call("UpdateItem", UpdateExpression="SET customer = :x", **new)) == (
        "ValidationException",
        f"{INVALID}Cannot update attribute customer. This attribute is part of the key",
    )
    names = {"ExpressionAttributeNames": {"#s": "status"}}
    shop.call("UpdateItem", UpdateExpression="SET #s = :x", **new, **names)

    query: Any = {"TableName": "orders", "IndexName": "by-status", "KeyConditionExpression": "#s = :s", **names}
    assert shop.all("Query", **query, ExpressionAttributeValues={":s": {"S": "new"}}) == []
    found = shop.all("Query", **query, ExpressionAttributeValues={":s": {"S": "done"}})
    assert found == [KEY | {"status": "done"}]


def test_consumed_capacity(shop: Tables) -> None:
    """A write costs a unit for each KB and each index that changes, a read half a unit for each 4 KB, or one.

    Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
    """
    item = KEY | {"status": "new", "total": 1, "x": "x" * 4200}
    members: Any = {"TableName": "orders", "ReturnConsumedCapacity": "INDEXES"}

    written = shop.call("PutItem", Item=wire(item), **members)["ConsumedCapacity"]

    five = {"CapacityUnits": 5.0}
    assert written == {
        "TableName": "orders",
        "CapacityUnits": 15.0,
        "Table": five,
        "LocalSecondaryIndexes": {"by-total": five},
        "GlobalSecondaryIndexes": {"by-status": five},
    }
    key: Any = {"TableName": "orders", "Key": wire(KEY), "ReturnConsumedCapacity": "TOTAL"}
    assert shop.call("GetItem", **key)["ConsumedCapacity"]["CapacityUnits"] == 1.0
    assert shop.call("GetItem", ConsistentRead=True, **key)["ConsumedCapacity"]["CapacityUnits"] == 2.0


# Batches


def test_a_condition_check_costs_no_index(shop: Tables) -> None:
    """It changes nothing, so that only the table's units count, twice as in every transaction."""
    item = KEY | {"status": "new", "total": 1}
    shop.call("PutItem", TableName="orders", Item=wire(item))
    check = {"TableName": "orders", "Key": wire(KEY), "ConditionExpression": "attribute_exists(customer)"}

    answer = shop.call("TransactWriteItems", TransactItems=[{"ConditionCheck": check}], ReturnConsumedCapacity="TOTAL")

    assert answer["ConsumedCapacity"][0]["CapacityUnits"] == 2.0


def test_a_batch_of_writes_and_reads(shop: Tables) -> None:
    """Puts and deletes of several tables, and reads of what there is."""
    shop.create("tbl", "id:S")
    shop.put("orders", KEY)
    put = [{"PutRequest": {"Item": wire(KEY | {"time": n})}} for n in (2, 3)]
    requests = {
        "orders": [*put, {"DeleteRequest": {"Key": wire(KEY)}}],
        "tbl": [{"PutRequest": {"Item": wire({"id": "a"})}}],
    }

    assert shop.call("BatchWriteItem", RequestItems=requests) == {"UnprocessedItems": {}}

    keys = {
        "Keys": [wire(KEY | {"time": n}) for n in (1, 2, 3)],
        "ProjectionExpression": "#t",
        "ExpressionAttributeNames": {"#t": "time"},
    }
    answer = shop.call("BatchGetItem", RequestItems={"orders": keys, "tbl": {"Keys": [wire({"id": "a"})]}})
    assert answer == {
        "Responses": {"orders": [wire({"time": 2}), wire({"time": 3})], "tbl": [wire({"id": "a"})]},
        "UnprocessedKeys": {},
    }


def test_a_batch_reads_at_most_16_mb(tables: Tables) -> None:
    """The other keys are not processed.

    Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
    """
    tables.create("tbl", "id:S")
    tables.put("tbl", *({"id": f"{n:02}", "v": "x" * 400_000} for n in range(50)))
    keys = [wire({"id": f"{n:02}"}) for n in range(50)]

    answer = tables.call("BatchGetItem", RequestItems={"tbl": {"Keys": keys}})

    assert len(answer["Responses"]["tbl"]) == 16 * 1024 * 1024 // 400_005
    assert answer["UnprocessedKeys"] == {"tbl": {"Keys": keys[41:]}}


@pytest.mark.parametrize(
    ("action", "requests", "text"),
    [
        ("BatchGetItem", {"orders": {"Keys": [wire(KEY)] * 2}}, "Provided list of item keys contains duplicates"),
        ("BatchWriteItem", {"orders": [{"PutRequest": {"Item": wire(KEY)}}, {"DeleteRequest": {"Key": wire(KEY)}}]}, "Provided list of item keys contains duplicates"),
        ("BatchWriteItem", {name: [{"PutRequest": {"Item": wire(KEY | {"time": n})}} for n in range(13)] for name in ("orders", "other")}, "Too many items requested for the BatchWriteItem call"),
        ("BatchWriteItem", {"orders": [{"DeleteRequest": {"Key": wire({"customer": "a"})}}]}, "The provided key element does not match the schema"),
    ],
)  # fmt: skip
def test_batches_that_are_refused(shop: Tables, action: str, requests: dict[str, Any], text: str) -> None:
    """Each has AWS's message, and writes nothing."""
    assert refusal(lambda: shop.call(action, RequestItems=requests)) == ("ValidationException", text)

    assert shop.call("Scan", TableName="orders", Select="COUNT")["Count"] == 0


# Transactions


def put(n: int, **given: Any) -> dict[str, Any]:
    """A put in a transaction."""
    return {"Put": {"TableName": "orders", "Item": wire(KEY | {"time": n}), **given}}


def test_a_transaction_writes_all_or_nothing(shop: Tables) -> None:
    """The reasons of a cancelled one have a place for each of its parts.

    Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
    """
    shop.put("orders", KEY | {"n": 1})
    condition = {"ConditionExpression": "n = :n", "ExpressionAttributeValues": {":n": {"N": "2"}}}
    check = {"TableName": "orders", "Key": wire(KEY), "ReturnValuesOnConditionCheckFailure": "ALL_OLD", **condition}

    with pytest.raises(AwsError) as raised:
        shop.call("TransactWriteItems", TransactItems=[put(2), {"ConditionCheck": check}])

    failed = (
        "Transaction cancelled, please refer cancellation reasons for specific reasons [None, ConditionalCheckFailed]"
    )
    assert (raised.value.code, raised.value.message) == ("TransactionCanceledException", failed)
    reason = {
        "Code": "ConditionalCheckFailed",
        "Message": "The conditional request failed",
        "Item": wire(KEY | {"n": 1}),
    }
    assert raised.value.members["CancellationReasons"] == [{"Code": "None"}, reason]
    assert item_of(shop, KEY | {"time": 2}) is None
    update = {"UpdateExpression": "SET n = n + :n", "ExpressionAttributeValues": {":n": {"N": "1"}}}
    shop.call(
        "TransactWriteItems", TransactItems=[put(2), {"Update": {"TableName": "orders", "Key": wire(KEY), **update}}]
    )
    assert (item_of(shop, KEY), item_of(shop, KEY | {"time": 2})) == (KEY | {"n": 2}, KEY | {"time": 2})


def test_a_token_makes_a_transaction_idempotent(shop: Tables) -> None:
    """For ten minutes; with another request it is refused."""
    update: Any = {"UpdateExpression": "ADD n :n", "ExpressionAttributeValues": {":n": {"N": "1"}}}
    items: Any = [{"Update": {"TableName": "orders", "Key": wire(KEY), **update}}]
    for _ in range(3):
        shop.call("TransactWriteItems", TransactItems=items, ClientRequestToken="token")
    assert item_of(shop, KEY) == KEY | {"n": 1}

    code, _ = refusal(lambda: shop.call("TransactWriteItems", TransactItems=[put(5)], ClientRequestToken="token"))

    assert code == "IdempotentParameterMismatchException"
    shop.clock.advance(601)
    shop.call("TransactWriteItems", TransactItems=items, ClientRequestToken="token")
    assert item_of(shop, KEY) == KEY | {"n": 2}


@pytest.mark.parametrize(
    ("items", "text"),
    [
        ([put(1), put(1)], "Transaction request cannot include multiple operations on one item"),
        ([{}], "TransactItems can only contain one of Check, Put, Update or Delete"),
        ([put(1, ConditionExpression="a = b", ExpressionAttributeValues={":x": {"N": "1"}})], "Value provided in ExpressionAttributeValues unused in expressions: keys: {:x}"),
    ],
)  # fmt: skip
def test_transactions_that_are_refused(shop: Tables, items: list[Any], text: str) -> None:
    """Each has AWS's message."""
    assert refusal(lambda: shop.call("TransactWriteItems", TransactItems=items)) == ("ValidationException", text)


def test_an_item_that_does_not_fit_cancels_the_transaction(shop: Tables) -> None:
    """With the reason ValidationError, as AWS's page of TransactWriteItems lists it."""
    items = [put(1), {"Put": {"TableName": "orders", "Item": wire({"customer": "ada"})}}]

    with pytest.raises(AwsError) as raised:
        shop.call("TransactWriteItems", TransactItems=items)

    assert raised.value.members["CancellationReasons"] == [
        {"Code": "None"},
        {"Code": "ValidationError", "Message": f"{INVALID}Missing the key time in the item"},
    ]


def test_a_transaction_of_reads(shop: Tables) -> None:
    """An item that does not exist has an empty answer."""
    shop.put("orders", KEY)
    gets = [{"Get": {"TableName": "orders", "Key": wire(KEY | {"time": n})}} for n in (1, 2)]

    assert shop.call("TransactGetItems", TransactItems=gets) == {"Responses": [{"Item": wire(KEY)}, {}]}
