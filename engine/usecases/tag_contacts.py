"""Tag and untag: contacts a slice at a time, each new tag told to triggers."""

from collections.abc import Sequence
from typing import Protocol

from engine.ids import ContactId


class Tagging(Protocol):
    async def add(self, tag: str, contacts: Sequence[ContactId]) -> int:
        """Put a tag on those who lack it, told to triggers once each; return how many they are."""
        ...

    async def remove(self, tag: str, contacts: Sequence[ContactId]) -> int:
        """Take a tag off; return how many had it."""
        ...


async def tag_contacts(*, tag: str, contacts: Sequence[ContactId], tagging: Tagging) -> int:
    """Put *tag* on *contacts* (at most some thousands); return how many did not have it."""
    return await tagging.add(tag, contacts)


async def untag_contacts(*, tag: str, contacts: Sequence[ContactId], tagging: Tagging) -> int:
    """Take *tag* off *contacts* (at most some thousands); return how many had it."""
    return await tagging.remove(tag, contacts)
