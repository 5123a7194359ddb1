"""From the options of "campaign new" and "broadcast new" to what the engine wants."""

from datetime import timedelta
from typing import Protocol

from bot.slack.kinds import Off
from bot.slack.language.broadcasts import BroadcastNew
from bot.slack.language.campaigns import CampaignNew, StepAdd
from engine.campaign import Settings
from engine.config import Organization
from engine.ids import NumberId
from engine.phone import Phone
from engine.refusal import Refusal
from engine.size import Size
from engine.usecases.compose import Wanted


class UnknownNumber(Refusal):
    """None of the organization's numbers is this one."""

    def __init__(self, phone: Phone, organization: Organization) -> None:
        ours = " or ".join(f"number={each.phone}" for each in organization.whatsapp.numbers)
        super().__init__(f"{phone} is none of your numbers: write {ours}.")


class _Counted(Protocol):
    @property
    def count(self) -> int | None: ...


def settings_of(command: CampaignNew | BroadcastNew) -> Settings:
    shared = Settings(
        per_day=command.per_day,
        hours=command.hours,
        days=command.days,
        rate=command.rate,
        deadline_s=_seconds(command.deadline),
        unknown=command.unknown,
    )
    if isinstance(command, BroadcastNew):
        return shared
    return Settings(
        stop_on_reply=command.stop_on_reply,
        per_day=shared.per_day,
        hours=shared.hours,
        days=shared.days,
        rate=shared.rate,
        reentry=command.reentry,
        mode=command.mode,
        deadline_s=shared.deadline_s,
        unknown=shared.unknown,
    )


def number_of(phone: Phone | None, organization: Organization) -> NumberId | None:
    """Return the number of ours that *phone* is; None stays None.

    Raises:
        UnknownNumber: It is none of ours.
    """
    if phone is None:
        return None
    for number in organization.whatsapp.numbers:
        if number.phone == phone:
            return number.id
    raise UnknownNumber(phone, organization)


def wanted_of(command: StepAdd | BroadcastNew) -> Wanted:
    return Wanted(
        text=command.text,
        template=command.template,
        language=command.language,
        parameters=command.parameters,
        media=command.media,
        caption=command.caption,
    )


def size_of(command: _Counted, organization: Organization, *, spends: bool = True) -> Size:
    """Return the limits for *command*; only what *spends* money wants an approval."""
    sending = organization.sending
    return Size(
        large=sending.large_campaign or 0,
        approval=(sending.approval_above or 0) if spends else 0,
        count=command.count,
    )


def _seconds(deadline: timedelta | Off | None) -> int | None:
    match deadline:
        case None:
            return None
        case Off.OFF:
            return 0
        case timedelta():
            return int(deadline.total_seconds())
