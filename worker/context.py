"""What a worker process has at hand, made once by its start-up and given to every job."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from engine.clock import Clock
from engine.config import Config
from engine.ids import NumberId, OrganizationId
from engine.sending_rules import NumberRule, SendingRules
from storage.database import Database
from storage.queue import Queue
from storage.recount import Looking
from storage.upkeep import Round
from worker.half_done import HalfDone
from worker.memory import Memory
from worker.reading import Reading
from worker.whatsapp.client import CloudApi
from worker.writing import Writing


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """One worker process.

    Attributes:
        memories: Of numbers whose lane ran here.
        running: Jobs under way here, by name.
        rounds: Of upkeep, begun here and not yet done.
        looking: Nightly looks through messages, the same.
        reading: Files of imports, by import.
        writing: Exports, by export.
        braked: When the brakes were last minded here, monotonic seconds.
    """

    config: Config
    clock: Clock
    database: Database
    queue: Queue
    rules: Mapping[OrganizationId, SendingRules]
    apis: Mapping[OrganizationId, CloudApi]
    memories: dict[tuple[OrganizationId, NumberId], Memory] = field(default_factory=dict)
    running: set[tuple[str, OrganizationId]] = field(default_factory=set)
    rounds: dict[OrganizationId, Round] = field(default_factory=dict)
    looking: dict[OrganizationId, Looking] = field(default_factory=dict)
    reading: HalfDone[Reading] = field(default_factory=HalfDone)
    writing: HalfDone[Writing] = field(default_factory=HalfDone)
    braked: dict[OrganizationId, float] = field(default_factory=dict)

    def now(self) -> datetime:
        return self.clock.now()

    def number(self, organization: OrganizationId, number: NumberId) -> NumberRule | None:
        """Return the rule of a configured number; None: it is no longer configured."""
        rules = self.rules.get(organization)
        if rules is None:
            return None
        return next((rule for rule in rules.numbers if rule.id == number), None)
