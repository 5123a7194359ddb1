"""Files in the middle of being read or written, so that the next slice need not begin anew."""

from typing import Final, Generic, Protocol, TypeVar

from engine.ids import OrganizationId

AT_ONCE: Final = 4
"""Files of one organization that move in turn; the others wait until one of them is done."""


class _Placed(Protocol):
    @property
    def position(self) -> int:
        """The last piece that was done; the next slice goes on after it."""
        ...


T = TypeVar("T", bound=_Placed)


class HalfDone(Generic[T]):
    """What one process holds of them, at most `AT_ONCE` of an organization.

    Only a cache: what is not where the database says is thrown away, and so is what was taken and
    not brought back.
    """

    def __init__(self) -> None:
        self._kept: dict[OrganizationId, dict[int, T]] = {}

    def keep(self, organization: OrganizationId, id_: int, file: T) -> None:
        """Keep a file until it is taken, or as many others were kept since."""
        kept = self._kept.setdefault(organization, {})
        kept[id_] = file
        if len(kept) > AT_ONCE:
            del kept[next(iter(kept))]

    def take(self, organization: OrganizationId, id_: int, position: int) -> T | None:
        """Return a file where it goes on after *position*; None: it has to be begun anew."""
        found = self._kept.get(organization, {}).pop(id_, None)
        return found if found is not None and found.position == position else None

    def forget(self, organization: OrganizationId) -> None:
        """Let go of all: nothing of the organization is to be done any more."""
        self._kept.pop(organization, None)
