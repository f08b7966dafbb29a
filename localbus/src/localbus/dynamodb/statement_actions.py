"""ExecuteStatement.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ExecuteStatement.html
"""

from __future__ import annotations

import base64
import binascii
import hashlib

import orjson

from localbus.dynamodb import capacity
from localbus.dynamodb.attribute_value import Item
from localbus.dynamodb.errors import invalid
from localbus.dynamodb.partiql.reading import Reading, read
from localbus.dynamodb.partiql.request import Request, check_parameters, read_request
from localbus.dynamodb.partiql.statements import Select
from localbus.dynamodb.partiql.where import Parameters
from localbus.dynamodb.state import DynamoDb
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params


def execute_statement(dynamodb: DynamoDb, params: Params, caller: Caller) -> Params:
    """ExecuteStatement."""
    request = read_request(dynamodb, params, check_parameters(params), caller)
    if isinstance(request.statement, Select):
        return _select(request, request.statement, params)
    write = request.write()
    plan, level = write.plan(), capacity.wants(params)
    units = None if level is None else capacity.of_plan(plan)
    with dynamodb.store.transaction():
        plan.apply()
    item = plan.returned(getattr(request.statement, "returning", "NONE"))
    answer: Params = {"Items": [item] if item else []}
    if level is not None and units is not None:
        answer["ConsumedCapacity"] = units.shown(level)
    return answer


def _select(request: Request, select: Select, params: Params) -> Params:
    consistent = bool(params.get("ConsistentRead", False))
    reading = read(select, request.table, Parameters(request.values), consistent=consistent)
    digest = hashlib.sha256(orjson.dumps([params["Statement"], list(request.values)])).hexdigest()[:16]
    page = reading.page(params.get("Limit"), _start_key(params.get("NextToken"), digest, reading))
    answer: Params = {"Items": page.items}
    if page.last_key is not None:
        answer["NextToken"] = base64.urlsafe_b64encode(orjson.dumps([digest, page.last_key])).decode()
        answer["LastEvaluatedKey"] = page.last_key
    level = capacity.wants(params)
    if level is not None:
        used = capacity.of_search(request.table, select.index, page.size, consistent=consistent)
        answer["ConsumedCapacity"] = used.shown(level)
    return answer


def _start_key(token: str | None, digest: str, reading: Reading) -> Item | None:
    """Return the start key in a token. Raises AwsError for one that is not of the same statement."""
    if token is None:
        return None
    try:
        of, key = orjson.loads(base64.urlsafe_b64decode(token))
        if of == digest and reading.can_start_at(key):
            start: Item = key
            return start
    except (binascii.Error, ValueError, TypeError):
        pass
    raise invalid("NextToken is not valid: expected that of an earlier response to the same statement")
