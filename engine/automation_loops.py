"""Automations that lead to themselves: found before they are saved."""

from collections.abc import Callable, Collection, Sequence

from engine.automation import (
    AddTag,
    Automation,
    Enroll,
    MessageReached,
    State,
    TagAdded,
)
from engine.ids import CampaignId


def loop(
    new: Automation,
    others: Collection[Automation],
    *,
    enrolls_again: Callable[[CampaignId], bool],
) -> tuple[Automation, ...] | None:
    """Return the automations that lead from *new* back to it, *new* first; None: none do.

    Counted is what surely repeats: a tag that sets off another tag, and a campaign that a contact
    may enter again and whose messages lead back to it. What asks for a segment may end by itself,
    so it is left to the limit on depth.

    Args:
        others: Those besides *new*; only those that are on count.
        enrolls_again: Whether a campaign takes in who has been in it.
    """
    if new.segment_id is not None:
        return None
    live = [new, *(each for each in others if each.state is State.ON and each.segment_id is None)]
    paths: list[tuple[Automation, ...]] = [(new,)]
    reached: set[int] = set()
    while paths:
        path = paths.pop(0)
        for place, following in enumerate(live):
            if not leads(path[-1], following, enrolls_again=enrolls_again):
                continue
            if place == 0:
                return path
            if place not in reached:
                reached.add(place)
                paths.append((*path, following))
    return None


def leads(
    first: Automation, second: Automation, *, enrolls_again: Callable[[CampaignId], bool]
) -> bool:
    """Whether what *first* does can be what *second* waits for, again and again."""
    match first.action, second.trigger:
        case AddTag(added), TagAdded(awaited):
            return added == awaited
        case Enroll(campaign), MessageReached(campaign=awaited_campaign):
            return awaited_campaign in (None, campaign) and enrolls_again(campaign)
        case _:
            return False


def in_words(path: Sequence[Automation], said: Callable[[Automation], str]) -> str:
    """Return the path for staff, each automation by the sentence *said* gives for it."""
    return " Then: ".join(said(each) for each in path) + " Then it would begin again."
