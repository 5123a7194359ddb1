"""What every Slack feature works with."""

from dataclasses import dataclass

from engine.clock import Clock
from engine.config import Config
from storage.database import Database
from storage.queue import Queue


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Made once by the process; features close over it when they register their handlers."""

    config: Config
    clock: Clock
    database: Database
    queue: Queue
