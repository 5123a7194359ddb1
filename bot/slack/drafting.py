"""From the options of "campaign new" and "broadcast new" to what the engine wants."""

from datetime import timedelta
from typing import Protocol, TypeVar

from bot.slack.kinds import Off
from bot.slack.language.broadcasts import BroadcastNew
from bot.slack.language.campaign_life import BroadcastEdit
from bot.slack.language.campaigns import CampaignNew
from bot.slack.language.steps import StepAdd, StepEdit
from engine.campaign import Settings
from engine.config import Organization
from engine.ids import NumberId
from engine.phone import Phone
from engine.refusal import Refusal
from engine.size import Size
from engine.usecases.compose import Wanted
from engine.usecases.write_step import UNSAID, NotSaid, StepWish

T = TypeVar("T")


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
        deadline_s=seconds(command.deadline),
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


def wanted_of(command: StepAdd | StepEdit | BroadcastNew | BroadcastEdit) -> Wanted:
    return Wanted(
        text=command.text,
        template=command.template,
        language=command.language,
        parameters=command.parameters,
        media=command.media,
        caption=command.caption,
    )


def wish_of(command: StepAdd | StepEdit) -> StepWish:
    """Return what was said of a step; what was not stays as it is."""
    says = any(each is not None for each in (command.text, command.template, command.media))
    return StepWish(
        after=_unless_unsaid(command.before if command.after is None else command.after),
        yearly=_unless_unsaid(command.yearly),
        clock=_or_none(command.clock),
        weekday=_or_none(command.weekday),
        conditions=_or_none(command.conditions),
        otherwise=_unless_unsaid(command.otherwise),
        wait=_unless_unsaid(command.wait),
        hours=_or_none(command.hours),
        days=_or_none(command.days),
        wanted=wanted_of(command) if says else UNSAID,
        fallback=_fallback(command),
    )


def _fallback(command: StepAdd | StepEdit) -> Wanted | NotSaid | None:
    match command.fallback:
        case None:
            return UNSAID
        case Off.OFF:
            return None
        case str() as name:
            given = dict(command.fallback_parameters)
            language = given.pop("language", None)
            return Wanted(template=name, language=language, parameters=tuple(given.items()))


def _unless_unsaid(value: T | None) -> T | NotSaid:
    return UNSAID if value is None else value


def _or_none(value: T | Off | None) -> T | NotSaid | None:
    match value:
        case None:
            return UNSAID
        case Off.OFF:
            return None
        case said:
            return said


def size_of(command: _Counted, organization: Organization, *, spends: bool = True) -> Size:
    """Return the limits for *command*; only what *spends* money wants an approval."""
    sending = organization.sending
    return Size(
        large=sending.large_campaign or 0,
        approval=(sending.approval_above or 0) if spends else 0,
        count=command.count,
    )


def cooldown_of(organization: Organization) -> timedelta:
    """Return the organization's cooldown; zero: none."""
    return organization.sending.cooldown or timedelta()


def seconds(deadline: timedelta | Off | None) -> int | None:
    """Return a deadline as settings keep it: 0 is off, None as the organization has it."""
    match deadline:
        case None:
            return None
        case Off.OFF:
            return 0
        case timedelta():
            return int(deadline.total_seconds())
