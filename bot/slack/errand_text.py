"""What an errand came to, in sentences: for who waits for the answer, and for who is told later."""

from collections import Counter
from collections.abc import Mapping
from typing import Final, assert_never

from bot.slack.contact_pages import counted
from bot.slack.markup import Markup, code, markup
from engine.attributes import Retyping
from engine.errand import (
    CAME,
    CANCELLED,
    CHANGED,
    INTERRUPTED,
    STOPPED_ELSEWHERE,
    UNCHANGED,
    WENT,
    Kind,
    Stop,
)
from engine.reasons import Reason
from engine.redrive import Obstacle
from storage.enrollments import Outcome
from storage.redriving import MESSAGES

_OF_PEOPLE: Final = (
    Reason.OPTED_OUT,
    Reason.PLATFORM_STOPPED,
    Reason.BLOCKED,
    Reason.UNREACHABLE,
    Reason.ERASED,
)
_NEITHER: Final = {
    Outcome.ALREADY: "skipped: already enrolled (reentry= of the campaign says who may come again)",
    Outcome.ELSEWHERE: "skipped: in another campaign (mode=skip)",
}


def done(kind: Kind, about: str, counts: Mapping[str, int]) -> Markup:
    """Return what was done as what follows the name of who asked.

    Args:
        about: The tag, the name of the campaign, list or segment, or the attribute with its type as
            `engine.attributes.Retyping` writes it; empty for consent.
    """
    changed = counted(counts.get(CHANGED, 0))
    match kind:
        case Kind.ENROLL:
            n = counted(counts.get(Outcome.ENROLLED, 0))
            return markup("enrolled {n} in *{name}*.", n=n, name=about)
        case Kind.UNENROLL:
            return markup("took {n} out of *{name}*.", n=changed, name=about)
        case Kind.TAG:
            had = _others(counts, "had it already")
            return markup("tagged {n} with {tag}{had}.", n=changed, tag=code(about), had=had)
        case Kind.UNTAG:
            had = _others(counts, "did not have it")
            return markup("took {tag} off {n}{had}.", tag=code(about), n=changed, had=had)
        case Kind.OPT_OUT:
            had = _others(counts, "had opted out already")
            return markup("opted {n} out{had}.", n=changed, had=had)
        case Kind.OPT_IN:
            had = _others(counts, "had not opted out")
            return markup("opted {n} in again{had}; the ledger names who did.", n=changed, had=had)
        case Kind.LIST_ADD:
            there = _others(counts, "on it already")
            return markup("put {n} on *{name}*{there}.", n=changed, name=about, there=there)
        case Kind.LIST_REMOVE:
            there = _others(counts, "not on it")
            return markup("took {n} off *{name}*{there}.", n=changed, name=about, there=there)
        case Kind.RETRY:
            them = counted(counts.get(MESSAGES, 0), "message")
            return markup(
                "has {them} of *{name}* tried again, for {n}.", them=them, name=about, n=changed
            )
        case Kind.REFRESH:
            came, went = counted(counts.get(CAME, 0)), counted(counts.get(WENT, 0))
            return markup(
                "refreshed the segment *{name}*: {came} came, {went} went.",
                name=about,
                came=came,
                went=went,
            )
        case Kind.CHECK:
            return markup("checked {name}.", name=code(Retyping.parse(about).name))
        case Kind.RETYPE:
            written = counts.get(CHANGED, 0)
            anew = (
                markup("; {n} were written anew", n=counted(written, "value"))
                if written
                else Markup("")
            )
            wanted = Retyping.parse(about)
            return markup(
                "made {name} of type {type}{anew}.",
                name=code(wanted.name),
                type=wanted.type,
                anew=anew,
            )
        case other:
            assert_never(other)


def besides(kind: Kind, counts: Mapping[str, int]) -> list[Markup]:
    """Return what else came of it, a sentence each."""
    match kind:
        case Kind.ENROLL:
            lines = outcome_lines(
                Counter(
                    {
                        each: counts[each]
                        for each in Outcome
                        if each in counts and each is not Outcome.ENROLLED
                    }
                )
            )
            if counts.get(INTERRUPTED):
                lines.append(
                    markup(
                        "{n} enrollments in other campaigns ended for it.", n=counts[INTERRUPTED]
                    )
                )
            return lines
        case Kind.RETRY:
            return retry_lines(counts)
        case Kind.UNENROLL:
            return [Markup("What waited for them is not sent.")]
        case Kind.OPT_OUT if counts.get(CANCELLED):
            cancelled = counted(counts[CANCELLED], "message")
            return [markup("{n} to them will not be sent.", n=cancelled)]
        case Kind.OPT_IN if counts.get(STOPPED_ELSEWHERE):
            return [
                markup(
                    "{n} of them stopped marketing in WhatsApp itself, which only they can take"
                    " back.",
                    n=counts[STOPPED_ELSEWHERE],
                )
            ]
        case _:
            return []


def begins(kind: Kind, about: str, contacts: int) -> Markup:
    """Return what will be done as what follows the name of who asked."""
    n = counted(contacts)
    match kind:
        case Kind.ENROLL:
            return markup("enrolls {n} in *{name}*", n=n, name=about)
        case Kind.UNENROLL:
            return markup("takes {n} out of *{name}*", n=n, name=about)
        case Kind.TAG:
            return markup("tags {n} with {tag}", n=n, tag=code(about))
        case Kind.UNTAG:
            return markup("takes {tag} off {n}", tag=code(about), n=n)
        case Kind.OPT_OUT:
            return markup("opts {n} out", n=n)
        case Kind.OPT_IN:
            return markup("opts {n} in again", n=n)
        case Kind.LIST_ADD:
            return markup("puts {n} on *{name}*", n=n, name=about)
        case Kind.LIST_REMOVE:
            return markup("takes {n} off *{name}*", n=n, name=about)
        case Kind.RETRY:
            return markup("has what failed for {n} of *{name}* tried again", n=n, name=about)
        case Kind.REFRESH:
            return markup("refreshes the segment *{name}*, {n}", name=about, n=n)
        case Kind.CHECK | Kind.RETYPE:
            wanted = Retyping.parse(about)
            return markup(
                "{does} the {name} of {n} as {type}",
                does="checks" if kind is Kind.CHECK else "writes",
                name=code(wanted.name),
                n=n,
                type=wanted.type,
            )
        case other:
            assert_never(other)


def stopped(stop: Stop, done: int, contacts: int) -> Markup:
    """Return why it ended early, and how far it had come."""
    return markup(
        "It stopped after {done} of {all} contacts: {why}.",
        done=done,
        all=contacts,
        why=_STOPPED[stop],
    )


_STOPPED: Final = {
    Stop.NOT_ENROLLING: "the campaign takes nobody in any more",
    Stop.LIST_GONE: "the list was deleted meanwhile",
    Stop.UNFIT: "some values are not of that type",
}


def outcome_lines(counts: Mapping[Outcome, int]) -> list[Markup]:
    """Return why those who were not enrolled were not."""
    return [
        markup("{n} {why}", n=count, why=_NEITHER.get(outcome) or Reason(outcome.value).sentence)
        for outcome, count in sorted(counts.items())
        if count
    ]


def retry_lines(counts: Mapping[str, int]) -> list[Markup]:
    """Return which messages are not tried again, and why."""
    return [
        markup("{n} {why}; not tried again.", n=counted(counts[each], "message"), why=sentence)
        for each, sentence in _LEFT_OUT.items()
        if counts.get(each)
    ]


_LEFT_OUT: Final = {
    **{each.value: each.sentence for each in Obstacle},
    **{each.value: f"are for somebody who {each.sentence}" for each in _OF_PEOPLE},
}


def _others(counts: Mapping[str, int], what: str) -> Markup:
    unchanged = counts.get(UNCHANGED, 0)
    return markup(" ({n} {what})", n=unchanged, what=what) if unchanged else Markup("")
