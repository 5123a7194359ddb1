"""The kinds of values commands take: how they are written; what they mean is the engine's."""

import re
from collections.abc import Callable
from datetime import datetime, time, timedelta
from enum import Enum, StrEnum
from typing import Final, TypeVar
from zoneinfo import available_timezones

from bot.slack.closest import closest
from bot.slack.declare import Kind, Wrong
from bot.slack.words import Unreadable, quoted, words
from engine import (
    automation_text,
    duration,
    event_condition,
    hours,
    names,
    personalise,
    phone,
    schedule,
)
from engine.automation_text import InvalidAutomation, WrittenAction, WrittenTrigger
from engine.campaign import InvalidRate, Rate
from engine.conditions import Fact
from engine.content import MediaRef
from engine.event_condition import InvalidCondition
from engine.segment import Condition
from engine.template_draft import DraftButton
from engine.templates import ButtonKind, Category
from engine.timing import Anchor
from engine.usecases.write_step import Asked
from engine.who import EXPECTED

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)


class Off(Enum):
    """Somebody wants none, as against nobody said anything (None)."""

    OFF = "off"


class Standard(Enum):
    """Somebody wants what holds where nothing is said, as against nobody said anything (None)."""

    STANDARD = "default"


def or_standard(kind: Kind[T]) -> Kind[T | Standard]:
    """Return the kind that also takes "default", for changing back what somebody chose."""

    def read(text: str) -> T | Standard | Wrong:
        if text.strip().lower() == Standard.STANDARD.value:
            return Standard.STANDARD
        value = kind.read(text)
        if isinstance(value, Wrong) and value.must_be:
            return Wrong(must_be=f"{value.must_be}, or default")
        return value

    def show(value: T | Standard) -> str:
        return value.value if isinstance(value, Standard) else kind.show(value)

    return Kind(
        shape=f"{kind.shape}|{Standard.STANDARD.value}",
        read=read,
        show=show,
        raw=kind.raw,
        goes_on=kind.goes_on,
    )


def choice(options: type[E]) -> Kind[E]:
    """Return the kind of a value that is one of an enumeration."""

    def read(text: str) -> E | Wrong:
        written = text.strip().lower().replace(" ", "_").replace("-", "_")
        try:
            return options(written)
        except ValueError:
            return _none_of(text, tuple(options))

    return Kind(shape="|".join(options), read=read)


def word_of(*options: str) -> Kind[str]:
    """Return the kind of a value that is one of *options*."""

    def read(text: str) -> str | Wrong:
        written = text.strip().lower().replace(" ", "_").replace("-", "_")
        return written if written in options else _none_of(text, options)

    return Kind(shape="|".join(options), read=read)


def whole(least: int, most: int) -> Kind[int]:
    """Return the kind of a whole number within bounds; thousands may be parted."""
    must_be = f"a whole number from {least:,} to {most:,}"

    def read(text: str) -> int | Wrong:
        written = text.strip()
        digits = re.sub("[^0-9]", "", written) if _PARTED.fullmatch(written) else written
        if not _DIGITS.fullmatch(digits) or not least <= int(digits) <= most:
            return Wrong(must_be=must_be)
        return int(digits)

    return Kind(shape=f"{least}-{most}" if most < _FEW else "n", read=read)


def or_nothing(kind: Kind[str]) -> Kind[str]:
    """Return the kind of a value that may also be empty, which removes what is there."""

    def read(text: str) -> str | Wrong:
        return kind.read(text) if text.strip() else ""

    return Kind(shape=kind.shape, read=read)


def _none_of(text: str, options: tuple[str, ...]) -> Wrong:
    meant = closest(text, options)
    listed = f"{', '.join(options[:-1])} or {options[-1]}" if len(options) > 1 else options[0]
    return Wrong(must_be=listed if meant is None else f"{listed} (did you mean {meant}?)")


def _by(parse: Callable[[str], T], must_be: str) -> Callable[[str], T | Wrong]:
    """Read with the engine's *parse*; its refusals are all some ValueError of its own."""

    def read(text: str) -> T | Wrong:
        try:
            return parse(text)
        except ValueError:
            return Wrong(must_be=must_be)

    return read


def _confirmed(text: str) -> int | Wrong:
    written = text.strip()
    if not _DIGITS.fullmatch(written):
        return Wrong(must_be="what the same command without confirm= says to write")
    return int(written)


def _yes_no(text: str) -> bool | Wrong:
    match text.strip().lower():
        case "yes" | "y" | "true" | "on" | "1":
            return True
        case "no" | "n" | "false" | "off" | "0":
            return False
        case _:
            return Wrong(must_be="yes or no")


def _text(text: str) -> str | Wrong:
    if not text.strip():
        return Wrong(must_be="some text")
    if len(text) > _LONGEST_TEXT:
        return Wrong(must_be=f"at most {_LONGEST_TEXT:,} characters of text")
    try:
        personalise.parse(text)
    except personalise.InvalidText as error:
        return Wrong(because=str(error))
    return text


def _body(text: str) -> str | Wrong:
    """Read a text of a template, whose braces are its own."""
    if not text.strip():
        return Wrong(must_be="some text")
    if len(text) > _LONGEST_TEXT:
        return Wrong(must_be=f"at most {_LONGEST_TEXT:,} characters of text")
    return text


def _body_or_off(text: str) -> str | Off | Wrong:
    return Off.OFF if text.strip().lower() == Off.OFF.value else _body(text)


def _draft_name(text: str) -> str | Wrong:
    written = text.strip().lower()
    if not _DRAFT_NAME.fullmatch(written):
        return Wrong(must_be="small letters, digits and _, like spring_sale")
    return written


def _category(text: str) -> Category | Wrong:
    try:
        found = Category(text.strip().upper())
    except ValueError:
        return _none_of(text, ("marketing", "utility"))
    return _none_of(text, ("marketing", "utility")) if found is Category.UNKNOWN else found


def _button(text: str) -> DraftButton | Off | Wrong:
    """Read ``Label``, ``Label|https://…`` or ``Label|+31…``."""
    if text.strip().lower() == Off.OFF.value:
        return Off.OFF
    label, bar, target = (part.strip() for part in text.partition("|"))
    if not label or (bar and not target) or len(text) > _LONGEST_LINK:
        return Wrong(must_be='a label, "Label|https://shop.example/" or "Label|+31201234567"')
    if not bar:
        return DraftButton(kind=ButtonKind.QUICK_REPLY, label=label)
    kind = ButtonKind.PHONE_NUMBER if _CALLED.fullmatch(target) else ButtonKind.URL
    called = re.sub(r"[\s().-]", "", target) if kind is ButtonKind.PHONE_NUMBER else target
    return DraftButton(kind=kind, label=label, target=called)


def _line(text: str) -> str | Wrong:
    shown = names.cleaned(text)
    if len(shown) > _LONGEST_LINE:
        return Wrong(must_be=f"at most {_LONGEST_LINE} characters")
    return shown or Wrong(must_be="some text")


def _as_it_is(text: str) -> str | Wrong:
    return text.strip()[:_LONGEST_TEXT] or Wrong(
        must_be="an address like https://example.com/a.jpg"
    )


def _email(text: str) -> str | Wrong:
    return text if _EMAIL.fullmatch(text) else Wrong(must_be="an address like ada@example.com")


def _language(text: str) -> str | Wrong:
    found = _LANGUAGE.fullmatch(text.strip())
    if found is None:
        return Wrong(must_be="a language code like en, en_US or pt_BR")
    language, region = found.groups()
    return language.lower() + (f"_{region.upper()}" if region else "")


def _media(text: str) -> MediaRef | Wrong:
    if _LINK.fullmatch(text) and len(text) <= _LONGEST_LINK:
        return MediaRef(link=text)
    try:
        name = names.campaign(text)
    except names.InvalidName:
        name = "://"
    if "://" in name or name.isdigit():
        return Wrong(must_be="a file of the media library, or a link that begins with https://")
    return MediaRef(name=name)


def _span_or_off(text: str) -> timedelta | Off:
    span = duration.parse_or_off(text)
    return Off.OFF if span is None else span


def _show_span_or_off(value: timedelta | Off) -> str:
    return duration.show(None if isinstance(value, Off) else value)


def _tags(text: str) -> tuple[str, ...] | Wrong:
    listed = [tag.strip() for tag in _split(text)]
    if not listed or not all(listed):
        return Wrong(must_be="tags with commas between them, like vip,lead")
    try:
        return tuple(dict.fromkeys(names.tag(tag) for tag in listed))
    except names.InvalidName:
        return Wrong(must_be=f"tags of at most {names.LONGEST_TAG} characters, like vip,lead")


def _hours(text: str) -> str:
    return str(hours.parse(text))


def _days(text: str) -> str:
    return hours.show_days(hours.parse_days(text))


def _rate(text: str) -> Rate | Wrong:
    try:
        return Rate.parse(text.lower())
    except InvalidRate:
        return Wrong(must_be="a number of messages per time, like 5/s, 300/min or 500/h")


def _delay(text: str) -> timedelta | Anchor | Wrong:
    span, colon, attribute = text.partition(":")
    if colon:
        return _anchor(span, attribute, sign=1)
    try:
        return duration.parse(span)
    except ValueError:
        return Wrong(
            must_be="days after a date like 3d:renewal, or a span of time like 30m, 3h, 2d or 1w"
        )


def _before(text: str) -> Anchor | Wrong:
    span, _, attribute = text.partition(":")
    return _anchor(span, attribute, sign=-1)


def _anchor(span: str, attribute: str, *, sign: int) -> Anchor | Wrong:
    must_be = "days or weeks and a date of the contact, like 7d:renewal or 0d:birthday"
    try:
        days, rest = divmod(duration.parse(span), timedelta(days=1))
        name = names.attribute(attribute)
    except ValueError:
        return Wrong(must_be=must_be)
    return Wrong(must_be=must_be) if rest else Anchor(attribute=name, days=sign * days)


def _show_anchor(value: Anchor) -> str:
    return f"{abs(value.days)}d:{value.attribute}"


def _show_delay(value: timedelta | Anchor) -> str:
    return _show_anchor(value) if isinstance(value, Anchor) else duration.show(value)


def _clock(text: str) -> time | Off | Wrong:
    if text.strip().lower() == Off.OFF.value:
        return Off.OFF
    found = _CLOCK.fullmatch(text.strip())
    if found is None:
        return Wrong(must_be="a time of day like 09:00 or 17:30, or off")
    return time(int(found[1]), int(found[2]))


def _show_clock(value: time | Off) -> str:
    return value.value if isinstance(value, Off) else value.strftime("%H:%M")


def _weekday(text: str) -> int | Off | Wrong:
    written = text.strip().lower()
    if written == Off.OFF.value:
        return Off.OFF
    for index, name in enumerate(_WEEKDAYS):
        if written in (name, name[:3]):
            return index
    return _none_of(text, (*_WEEKDAYS, Off.OFF.value))


def _show_weekday(value: int | Off) -> str:
    return value.value if isinstance(value, Off) else _WEEKDAYS[value]


def _conditions(text: str) -> tuple[Asked, ...] | Off | Wrong:
    if text.strip().lower() == Off.OFF.value:
        return Off.OFF
    whole = words(text)
    if not isinstance(whole, Unreadable) and len(whole) == 1 and whole[0].quoted:
        text = whole[0].text
    read = [_condition(piece.strip()) for piece in _split(text)]
    if not read:
        return Wrong(must_be=_CONDITION)
    asked: list[Asked] = []
    for each in read:
        if isinstance(each, Wrong):
            return each
        asked.append(each)
    return tuple(dict.fromkeys(asked))


def _condition(text: str) -> Asked | Wrong:
    word, colon, rest = text.partition(":")
    word = word.strip().lower().replace("-", "_").replace(" ", "_")
    if word == "tag" and colon:
        try:
            return Asked(tag=names.tag(rest))
        except names.InvalidName:
            return Wrong(must_be="tag:<tag> with one tag, like tag:vip")
    if word.startswith(personalise.OF_EVENT) and colon:
        value = names.cleaned(rest)
        try:
            name = names.attribute(word.removeprefix(personalise.OF_EVENT))
        except names.InvalidName:
            name = ""
        if not name or not value:
            return Wrong(must_be="event.<property>:<value>, like event.plan:gold")
        return Asked(property=name, value=value)
    if word not in set(Fact) or (colon and not _STEP_NUMBER.fullmatch(rest.strip())):
        meant = closest(word, tuple(Fact))
        hint = "" if meant is None or meant == word else f" (did you mean {meant}?)"
        return Wrong(must_be=_CONDITION + hint)
    return Asked(fact=Fact(word), number=int(rest) if colon else None)


def _show_conditions(value: tuple[Asked, ...] | Off) -> str:
    if isinstance(value, Off):
        return value.value
    return ",".join(map(_show_condition, value))


def _show_condition(asked: Asked) -> str:
    if asked.property is not None:
        return f"{personalise.OF_EVENT}{asked.property}:{quoted(asked.value)}"
    if asked.fact is None:
        return f"tag:{quoted(asked.tag or '')}"
    return str(asked.fact) + (f":{asked.number}" if asked.number else "")


def _wait(text: str) -> bool | Wrong:
    match text.strip().lower():
        case "delivered":
            return True
        case "off" | "no":
            return False
        case _:
            return Wrong(must_be="delivered or off")


def _own_hours(text: str) -> str | Off:
    return Off.OFF if text.strip().lower() == _CAMPAIGN else _hours(text)


def _own_days(text: str) -> str | Off:
    return Off.OFF if text.strip().lower() == _CAMPAIGN else _days(text)


def _show_own(value: str | Off) -> str:
    return _CAMPAIGN if isinstance(value, Off) else value


def _template_or_off(text: str) -> str | Off | Wrong:
    return Off.OFF if text.strip().lower() == Off.OFF.value else _line(text)


def _show_or_off(value: str | Off) -> str:
    return value.value if isinstance(value, Off) else value


def _moment(text: str) -> datetime | Wrong:
    try:
        return schedule.parse_moment(text)
    except schedule.InvalidSchedule as error:
        return Wrong(because=str(error))


def _every(text: str) -> str | Wrong:
    try:
        return schedule.parse_every(text)
    except schedule.InvalidSchedule as error:
        return Wrong(because=str(error))


def _zone(text: str) -> str | Wrong:
    written = text.strip().replace(" ", "_")
    if written.lower() == schedule.CONTACT:
        return schedule.CONTACT
    known = {name.lower(): name for name in available_timezones()}
    found = known.get(written.lower())
    if found is not None:
        return found
    # People write the city alone.
    cities = [n for n in known.values() if n.rpartition("/")[2].lower() == written.lower()]
    if len(cities) == 1:
        return cities[0]
    meant = closest(written, sorted(known.values()))
    hint = f" (did you mean {meant}?)" if meant else ""
    return Wrong(must_be=f"contact, or a time zone like Europe/Amsterdam{hint}")


def _timed(so_far: str, following: str) -> bool:
    return bool(_DAY.fullmatch(so_far) and _TIME.fullmatch(following))


def _trigger(text: str) -> str | Wrong:
    if text.strip().lower() == automation_text.MANUAL:
        return automation_text.MANUAL
    read = _when(text)
    return read if isinstance(read, Wrong) else str(read)


def _when(text: str) -> WrittenTrigger | Wrong:
    try:
        return automation_text.read_trigger(text)
    except InvalidAutomation as error:
        return Wrong(because=str(error))


def _properties(text: str) -> Condition | Wrong:
    whole = words(text) if text.startswith('"') else ()
    try:
        return event_condition.parse(whole[0].text if isinstance(whole, tuple) and whole else text)
    except InvalidCondition as error:
        return Wrong(because=str(error))


def _then(text: str) -> WrittenAction | Wrong:
    try:
        return automation_text.read_action(text)
    except InvalidAutomation as error:
        return Wrong(because=str(error))


def _then_goes_on(so_far: str, _following: str) -> bool:
    return bool(_UNFINISHED.fullmatch(so_far.strip()))


def _who(text: str) -> str | Wrong:
    return text if text.strip() else Wrong(must_be=EXPECTED)


def _definition(text: str) -> str | Wrong:
    return text if text.strip() else Wrong(must_be="conditions such as tag:lead and city is Paris")


def _about(text: str) -> str | Wrong:
    shown = names.cleaned(text)
    if len(shown) > _LONGEST_LINE:
        return Wrong(must_be=f"at most {_LONGEST_LINE} characters")
    return shown


def _split(text: str) -> list[str]:
    """Part at commas outside of quotes; the quotes go."""
    parts = re.findall(r'(?:"(?:\\.|[^"\\])*"|[^",])+|(?<=,)(?=,|$)', text)
    read = (words(part.strip()) for part in parts)
    return [
        "" if isinstance(each, Unreadable) else " ".join(word.text for word in each)
        for each in read
    ]


def _listed(so_far: str, following: str) -> bool:
    return so_far.endswith(",") or following.startswith(",")


def _dialled(so_far: str, following: str) -> bool:
    return bool(_DIALLED.fullmatch(so_far) and _DIALLED.fullmatch(following))


def _who_goes_on(so_far: str, following: str) -> bool:
    return _listed(so_far, following) or _dialled(so_far.rpartition(",")[2], following)


_DRAFT_NAME: Final = re.compile(r"[a-z0-9_]{1,512}")
_CALLED: Final = re.compile(r"\+[0-9][0-9 ().-]{5,30}")
_FEW: Final = 1_000
_LONGEST_TEXT: Final = 4_096  # characters of a WhatsApp text
_LONGEST_LINE: Final = 256
_LONGEST_LINK: Final = 2_000
_CAMPAIGN: Final = "campaign"
_WEEKDAYS: Final = (
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
)
_CLOCK: Final = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_STEP_NUMBER: Final = re.compile(r"[1-9][0-9]{0,2}")
_CONDITION: Final = (
    "replied, not_replied, delivered, read, not_read, clicked (of another step: read:2),"
    " tag:<tag> or event.<property>:<value>, or several with commas, or off"
)
_PARTED: Final = re.compile(r"[0-9]{1,3}(?:[,. _'][0-9]{3})+")
_DIGITS: Final = re.compile(r"[0-9]{1,12}")
# A verb alone, or the channel to be told something, wants the next word too.
_UNFINISHED: Final = re.compile(r"[A-Za-z]+|tell[ :]\S+", re.IGNORECASE)
_EMAIL: Final = re.compile(r"[^@\s<>\",]{1,64}@[^@\s<>\",]{1,189}\.[^@\s<>\",.]{2,63}")
_LANGUAGE: Final = re.compile(r"([A-Za-z]{2,3})(?:[_-]([A-Za-z]{2}))?")
_LINK: Final = re.compile(r"https://[^\s<>\"]+\.[^\s<>\"]+")
_DIALLED: Final = re.compile(r"\s*\+?[0-9()./ -]+")

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}")
_TIME: Final = re.compile(r"[0-9]{1,2}:[0-9]{2}(?::00)?")

NAME: Final[Kind[str]] = Kind(
    shape="name",
    read=_by(names.campaign, f"a name of at most {names.LONGEST_NAME} characters"),
)
TAG: Final[Kind[str]] = Kind(shape="tag", read=_by(names.tag, "one tag, like vip"))
TAGS: Final[Kind[tuple[str, ...]]] = Kind(
    shape="tag,tag", read=_tags, show=", ".join, raw=True, goes_on=_listed
)
TEXT: Final[Kind[str]] = Kind(shape='"…"', read=_text, show=quoted)
BODY: Final[Kind[str]] = Kind(shape='"…"', read=_body, show=quoted)
BODY_OR_OFF: Final[Kind[str | Off]] = Kind(shape='"…"|off', read=_body_or_off)
DRAFT_NAME: Final[Kind[str]] = Kind(shape="name", read=_draft_name)
CATEGORY: Final[Kind[Category]] = Kind(
    shape="marketing|utility", read=_category, show=lambda value: value.value.lower()
)
BUTTON: Final[Kind[DraftButton | Off]] = Kind(shape='"label|target"|off', read=_button)
ADDRESS: Final[Kind[str]] = Kind(shape="link", read=_as_it_is)
LINE: Final[Kind[str]] = Kind(shape="text", read=_line)
TEMPLATE: Final[Kind[str]] = Kind(shape="name", read=_line)
YES_NO: Final[Kind[bool]] = Kind(
    shape="yes|no", read=_yes_no, show=lambda value: "yes" if value else "no"
)
COUNT: Final = whole(0, 1_000_000_000)
CONFIRMED: Final[Kind[int]] = Kind(shape="step id", read=_confirmed)
NUMBERED: Final = whole(1, 1_000)
DURATION: Final[Kind[timedelta]] = Kind(
    shape="2d|3h|30m|1w",
    read=_by(duration.parse, "a span of time like 30m, 3h, 2d or 1w"),
    show=duration.show,
)
DURATION_OR_OFF: Final[Kind[timedelta | Off]] = Kind(
    shape="48h|off",
    read=_by(_span_or_off, "a span of time like 48h, or off"),
    show=_show_span_or_off,
)
HOURS: Final[Kind[str]] = Kind(
    shape="hh:mm-hh:mm|off",
    read=_by(_hours, "two times of day like 08:00-20:00, or off"),
)
DAYS: Final[Kind[str]] = Kind(
    shape="mon-fri", read=_by(_days, "days like mon-fri or mon,wed,sat"), goes_on=_listed
)
DELAY: Final[Kind[timedelta | Anchor]] = Kind(
    shape="2d|3h|30m|1w|3d:<date>", read=_delay, show=_show_delay
)
BEFORE: Final[Kind[Anchor]] = Kind(shape="7d:<date>", read=_before, show=_show_anchor)
CLOCK: Final[Kind[time | Off]] = Kind(shape="hh:mm|off", read=_clock, show=_show_clock)
WEEKDAY: Final[Kind[int | Off]] = Kind(shape="weekday|off", read=_weekday, show=_show_weekday)
CONDITIONS: Final[Kind[tuple[Asked, ...] | Off]] = Kind(
    shape="replied|not_replied|delivered|read|not_read|clicked|tag:<tag>|event.<property>:<value>|off",
    read=_conditions,
    show=_show_conditions,
    raw=True,
    goes_on=_listed,
)
WAIT: Final[Kind[bool]] = Kind(
    shape="delivered|off", read=_wait, show=lambda value: "delivered" if value else "off"
)
OWN_HOURS: Final[Kind[str | Off]] = Kind(
    shape="hh:mm-hh:mm|off|campaign",
    read=_by(_own_hours, "two times of day like 08:00-20:00, off, or campaign"),
    show=_show_own,
)
OWN_DAYS: Final[Kind[str | Off]] = Kind(
    shape="mon-fri|campaign",
    read=_by(_own_days, "days like mon-fri or mon,wed,sat, or campaign"),
    show=_show_own,
    goes_on=_listed,
)
FALLBACK: Final[Kind[str | Off]] = Kind(
    shape="template|off", read=_template_or_off, show=_show_or_off
)
RATE: Final[Kind[Rate]] = Kind(shape="5/s|300/min|500/h", read=_rate)
MOMENT: Final[Kind[datetime]] = Kind(
    shape="2026-12-01 10:00",
    read=_moment,
    show=lambda value: quoted(f"{value:%Y-%m-%d %H:%M}"),
    goes_on=_timed,
)
ZONE: Final[Kind[str]] = Kind(shape="contact|<tz>", read=_zone)
EVERY: Final[Kind[str]] = Kind(shape='day|week|month|"RRULE"', read=_every)
_SHAPE: Final = (
    "contact_created|tag:<tag>|event:<name>|keyword:<word>|segment:<name>|date:<attribute>"
    "|replied|delivered|read|clicked|resolved|api"
)
TRIGGER: Final[Kind[str]] = Kind(shape=f"{automation_text.MANUAL}|{_SHAPE}", read=_trigger)
WHEN: Final[Kind[WrittenTrigger]] = Kind(shape=_SHAPE, read=_when)
THEN: Final[Kind[WrittenAction]] = Kind(
    shape='enroll:<campaign>|unenroll:<campaign>|tag:<tag>|untag:<tag>|tell:<#channel> "…"',
    read=_then,
    goes_on=_then_goes_on,
)
# Quotes inside are its own; it goes on to the next option.
PROPERTIES: Final[Kind[Condition]] = Kind(
    shape="condition",
    read=_properties,
    show=event_condition.show,
    raw=True,
    goes_on=lambda _so_far, _following: True,
)
EVENT: Final[Kind[str]] = Kind(
    shape="name",
    read=_by(
        automation_text.event_name,
        f"an event's name of at most {names.LONGEST_ATTRIBUTE} characters, like order_paid",
    ),
)
EMAIL: Final[Kind[str]] = Kind(shape="address", read=_email)
LANGUAGE: Final[Kind[str]] = Kind(shape="en_US", read=_language)
MEDIA: Final[Kind[MediaRef]] = Kind(shape="name|link", read=_media)
OWN_NUMBER: Final[Kind[phone.Phone]] = Kind(
    shape="phone",
    read=_by(phone.own, "one of our numbers, like +15550001111"),
    goes_on=_dialled,
)
# A contact's number needs the organization's country to be read, and a <who> its contacts;
# both stay as written, and so do their quotes in a <who>.
PHONE: Final[Kind[str]] = Kind(shape="phone", read=_line, goes_on=_dialled)
# Quotes in a definition are its own, and so are words such as age=18.
DEFINITION: Final[Kind[str]] = Kind(shape="definition", read=_definition, raw=True, equals=True)
ABOUT: Final[Kind[str]] = Kind(shape="text", read=_about, show=quoted)
WHO: Final[Kind[str]] = Kind(shape="who", read=_who, raw=True, goes_on=_who_goes_on)
