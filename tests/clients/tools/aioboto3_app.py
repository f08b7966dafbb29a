"""aioboto3: the asyncio resource of SQS, with a retry and a dead letter."""

import asyncio
import json

import aioboto3


async def main() -> None:
    """Send two messages; delete one, and let the other one become a dead letter."""
    async with aioboto3.Session().resource("sqs") as sqs:
        dead = await sqs.create_queue(QueueName="dead")
        redrive = {"deadLetterTargetArn": (await dead.attributes)["QueueArn"], "maxReceiveCount": 1}
        attributes = {"RedrivePolicy": json.dumps(redrive), "VisibilityTimeout": "0"}
        work = await sqs.create_queue(QueueName="work", Attributes=attributes)
        await work.send_messages(Entries=[{"Id": each, "MessageBody": each} for each in ("tea", "poison")])
        for message in await work.receive_messages(MaxNumberOfMessages=10, VisibilityTimeout=1):
            if await message.body == "tea":
                await message.delete()
        assert await work.receive_messages(WaitTimeSeconds=3) == []
        [message] = await dead.receive_messages(WaitTimeSeconds=3)
        assert await message.body == "poison"


asyncio.run(main())
