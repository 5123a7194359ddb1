"""PostgreSQL and Redis (or Valkey) as children of this process, for one machine without them.

Only `dripline sandbox` and `dripline up` (and tests) use them; elsewhere the servers are named by
`DATABASE_URL` and `REDIS_URL`.
"""

from storage.embedded.account import AccountCannotReach, NoAccount
from storage.embedded.binaries import NoPostgres, NoRedis
from storage.embedded.folders import DataInUse, DataOwnedByAnother
from storage.embedded.postgres import PostgresServer, start_postgres
from storage.embedded.redis_server import RedisServer, start_redis
from storage.embedded.server import Command, Server, ServerFailed
from storage.embedded.servers import EmbeddedServers, embedded_servers, running_postgres

__all__ = [
    "AccountCannotReach",
    "Command",
    "DataInUse",
    "DataOwnedByAnother",
    "EmbeddedServers",
    "NoAccount",
    "NoPostgres",
    "NoRedis",
    "PostgresServer",
    "RedisServer",
    "Server",
    "ServerFailed",
    "embedded_servers",
    "running_postgres",
    "start_postgres",
    "start_redis",
]
