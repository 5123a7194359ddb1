"""What each of the staff may do."""

from collections.abc import Iterable
from enum import StrEnum
from typing import assert_never


class Needs(StrEnum):
    """What an action asks of whoever wants it."""

    CONVERSE = "converse"  # answer contacts, and what goes with it
    READ = "read"  # look at campaigns, contacts and reports
    CHANGE = "change"  # create, send, import, edit, delete


class Role(StrEnum):
    """An owner may do all, a supervisor converse and read, an agent only converse."""

    OWNER = "owner"
    SUPERVISOR = "supervisor"
    AGENT = "agent"

    def may(self, needs: Needs) -> bool:
        match self:
            case Role.OWNER:
                return True
            case Role.SUPERVISOR:
                return needs is not Needs.CHANGE
            case Role.AGENT:
                return needs is Needs.CONVERSE
            case _:
                assert_never(self)

    def covers(self, least: "Role") -> bool:
        """Return whether this role may do everything that *least* may."""
        return all(self.may(needs) for needs in Needs if least.may(needs))


def highest(roles: Iterable[Role]) -> Role | None:
    """Return the role that covers the others; None for somebody without any, a stranger."""
    held = set(roles)
    return next((role for role in Role if role in held), None)
