"""The worker's two queues in Redis. Redis only wakes: what is lost there, the tick finds again."""

import asyncio
from typing import Any, Self

import orjson
from arq.connections import ArqRedis, RedisSettings
from redis.asyncio import ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import BusyLoadingError, ConnectionError, RedisError, TimeoutError  # noqa: A004 — redis' own

from engine.ids import NumberId, OrganizationId

LANES = "dripline:lanes"
JOBS = "dripline:jobs"

_OUTAGES = (OSError, ConnectionError, TimeoutError, BusyLoadingError, asyncio.TimeoutError)


def redis_settings(url: str) -> RedisSettings:
    """Return settings with which a worker survives a restart of Redis.

    OSError is what makes it work: a refused connection is one, and arq retries only what is named.
    """
    settings = RedisSettings.from_dsn(url)
    settings.retry = Retry(
        ExponentialBackoff(cap=1, base=0.05),
        30,
        supported_errors=_OUTAGES,  # type: ignore[arg-type] # it is given to except as it is
    )
    settings.retry_on_error = list(_OUTAGES)
    settings.retry_on_timeout = True
    return settings


def serialize(job: dict[str, Any]) -> bytes:
    return orjson.dumps(job)


def deserialize(data: bytes) -> dict[str, Any]:
    """Read a job as JSON: with arq's pickle whoever can write to Redis could run code."""
    job: dict[str, Any] = orjson.loads(data)
    return job


class Queue:
    """What wakes the worker. Nothing here raises when Redis is away: the tick does it later."""

    def __init__(self, redis: ArqRedis) -> None:
        self.redis = redis

    @classmethod
    def open(cls, url: str) -> Self:
        """Return a queue that connects when it is first used: Redis may come up after us."""
        pool = ConnectionPool.from_url(url, socket_connect_timeout=1)
        return cls(
            ArqRedis(
                pool,
                job_serializer=serialize,
                job_deserializer=deserialize,
                default_queue_name=JOBS,
            )
        )

    async def close(self) -> None:
        await self.redis.aclose(close_connection_pool=True)

    async def wake_lane(self, organization: OrganizationId, number: NumberId) -> None:
        await self._enqueue("run_lane", LANES, organization=organization, number=number)

    async def wake_job(self, name: str, organization: OrganizationId) -> None:
        await self._enqueue(name, JOBS, organization=organization)

    async def is_up(self) -> bool:
        """Whether Redis answers within a second."""
        try:
            async with asyncio.timeout(1):
                await self.redis.ping()
        except (RedisError, OSError, TimeoutError):
            return False
        return True

    async def _enqueue(self, name: str, queue: str, **arguments: Any) -> None:  # noqa: ANN401 — arq's keywords
        try:
            async with asyncio.timeout(1):
                await self.redis.enqueue_job(name, _queue_name=queue, **arguments)
        except (RedisError, OSError, TimeoutError):
            return
