"""The handler that order-api is compared with: FastAPI, boto3 in a thread, one SNS publish and one PutEvents a request.

Its events are order-api's, so the two differ only in how they publish.
"""

import os
from datetime import UTC, datetime
from typing import Annotated

import boto3
import uvicorn
from botocore.config import Config
from fastapi import FastAPI, Header
from order_api.placement import order_placed
from order_api.trace import Trace
from orderboard_contracts.identity import order_id_for
from orderboard_contracts.order import OrderRequest, digest
from orderboard_contracts.routing import bus_entry, message_attributes

_TRACE = Trace("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "bench")

app = FastAPI()
# One connection for each of the 40 threads that FastAPI has; boto3's own 10 would make it slower still.
_config = Config(max_pool_connections=40)
_sns = boto3.client("sns", config=_config)
_events = boto3.client("events", config=_config)
_topic_arn = os.environ["ORDERBOARD_ORDERS_TOPIC_ARN"]
_bus_name = os.environ["ORDERBOARD_BUS_NAME"]


@app.get("/healthz")
def healthz() -> dict[str, str]:
    """Liveness."""
    return {"status": "ok"}


@app.post("/orders", status_code=202)
def place_order(order: OrderRequest, idempotency_key: Annotated[str, Header()]) -> dict[str, object]:
    """Publish to the topic and the bus, then respond."""
    order_id = order_id_for(idempotency_key)
    event = order_placed(order, order_id=order_id, digest=digest(order), at=datetime.now(UTC), trace=_TRACE)
    _sns.publish(
        TopicArn=_topic_arn,
        Message=event.to_json(),
        MessageAttributes={
            name: {"DataType": "String", "StringValue": value} for name, value in message_attributes(event).items()
        },
    )
    _events.put_events(Entries=[{**bus_entry(event, _bus_name)}])  # type: ignore[typeddict-item]
    return {"order_id": order_id, "status": "accepted", "total_cents": event.data.total_cents}


if __name__ == "__main__":
    port = int(os.environ["ORDERBOARD_API_PORT"])
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)
