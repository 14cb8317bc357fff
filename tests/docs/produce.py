"""Sends records that Lapstream would never write: `produce TOPIC KEY`, with a JSON object a line on stdin."""

import asyncio
import json
import sys
from typing import Any

from broker.clients import make_producer
from runtime.settings import read_broker_settings

BASE = {"ce_specversion": "1.0", "ce_source": "example.org/decoder", "content-type": "application/json"}


async def produce(topic: str, key: str, lines: list[str]) -> None:
    """Send a record for each line."""
    producer: Any = make_producer(read_broker_settings().broker)
    await producer.start()
    for line in lines:
        record = json.loads(line)
        headers = BASE | {"ce_id": record["id"], "ce_type": record["type"]}
        await producer.send_and_wait(
            topic,
            key=key.encode(),
            value=record["value"] and record["value"].encode(),
            headers=[(name, text.encode()) for name, text in headers.items()],
        )
    await producer.stop()


_, into, its_key = sys.argv
asyncio.run(produce(into, its_key, sys.stdin.read().splitlines()))
