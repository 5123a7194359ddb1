"""Tortoise on our own connections.

Tortoise keeps its connections in context variables and loses one when a task is cancelled while
BEGIN is on its way. Here it never owns a connection: models are set up once without any, and a
client is made around the connection of the unit that asks (`using_db(unit.orm)`).
"""

from typing import Any

import asyncpg
from tortoise.backends.asyncpg.client import AsyncpgDBClient, TransactionWrapper
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.config import TortoiseConfig
from tortoise.context import TortoiseContext, get_current_context, set_global_context

APP = "storage"


def settings(url: str) -> dict[str, Any]:
    """Return tortoise's configuration; *url* is only connected to by migrations."""
    return {
        "connections": {"default": url},
        "apps": {
            APP: {
                "models": ["storage.models"],
                "default_connection": "default",
                "migrations": "storage.migrations",
            }
        },
    }


async def prepare() -> None:
    """Describe the models to tortoise, once per process."""
    if get_current_context() is not None:
        return
    context = TortoiseContext()
    # The models look for the context, and their dialect in its connections, while they are set up.
    # Nothing connects: a connection of tortoise's own is made at its first query.
    set_global_context(context)
    await context.init(config=TortoiseConfig.from_dict(settings("asyncpg://nowhere/nothing")))


def client(connection: asyncpg.Connection) -> BaseDBAsyncClient:
    """Return a client whose every query runs on *connection*, inside its open transaction."""
    parent = _unconnected()
    parent._connection = connection  # noqa: SLF001 — where TransactionWrapper takes it from
    return TransactionWrapper(parent)


def pooled_client(pool: asyncpg.Pool) -> BaseDBAsyncClient:
    """Return a client that takes a connection of *pool* for each query."""
    unconnected = _unconnected()
    unconnected._pool = pool  # noqa: SLF001 — else it would connect by itself
    return unconnected


def _unconnected() -> AsyncpgDBClient:
    return AsyncpgDBClient(
        user="", password="", database="", host="", port=0, connection_name="default"
    )
