"""One arq job for each message, with objects of the ORM: the way one would begin."""

import json
import sys
import time
from datetime import UTC, datetime
from typing import Any

import aiohttp
import uvloop
from arq import create_pool, func
from arq.connections import RedisSettings
from arq.worker import Worker
from tortoise import Tortoise

from benchmarks._frame import answer, requests
from benchmarks._orm import Message


async def send(ctx: dict[str, Any], message_id: int) -> None:
    message = await Message.get(id=message_id).prefetch_related("contact")
    body = {
        "messaging_product": "whatsapp",
        "to": message.contact.phone,
        "type": "template",
        "template": {
            "name": message.template,
            "language": {"code": "en"},
            "components": [
                {
                    "type": "body",
                    "parameters": [{"type": "text", "text": message.contact.first_name}],
                }
            ],
        },
    }
    async with ctx["session"].post(ctx["url"], json=body) as response:
        message.wamid = (await response.json())["messages"][0]["id"]
    message.state = "accepted"
    message.accepted_at = datetime.now(UTC)
    await message.save(update_fields=["wamid", "state", "accepted_at"])


async def main(given: dict[str, Any]) -> None:
    await Tortoise.init(
        config={
            "connections": {
                "default": {
                    "engine": "tortoise.backends.asyncpg",
                    "credentials": given["postgres"] | {"minsize": 10, "maxsize": 10},
                }
            },
            "apps": {"models": {"models": ["benchmarks._orm"], "default_connection": "default"}},
        }
    )
    settings = RedisSettings.from_dsn(given["redis"])
    pool = await create_pool(settings)
    async with aiohttp.ClientSession() as session:
        async for request in requests():
            await Message.all().update(state="queued", wamid=None)
            for message_id in range(1, request["count"] + 1):
                await pool.enqueue_job("send", message_id)
            worker = Worker(
                functions=[func(send, name="send", keep_result=0)],
                redis_settings=settings,
                handle_signals=False,
                burst=True,
                max_jobs=100,
                poll_delay=0.05,
                queue_read_limit=1000,
                ctx={"session": session, "url": given["url"]},
            )
            begun = time.process_time()
            await worker.async_run()
            cpu_s = time.process_time() - begun
            await worker.close()
            answer(cpu_s=cpu_s)
    await pool.aclose()
    await Tortoise.close_connections()


if __name__ == "__main__":
    uvloop.run(main(json.loads(sys.argv[1])))
