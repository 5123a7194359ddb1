"""How the pretend WhatsApp behaves: what the tests and the page turn."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Literal, Self, cast
from zlib import crc32

from sandbox.wire import Check, Json, Refused, count, mapping, number, read, share

Outage = Literal["refuse", "500", "hang"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhooks:
    """How webhooks travel.

    Attributes:
        late_s: Business seconds between an event and its webhook.
        doubled: Share of the webhooks sent twice.
        shuffled: Share of the webhooks held back for up to ``late_s`` (at least 5) more
            business seconds, so that others overtake them.
        withheld: Share of the webhooks that never come.
    """

    late_s: float = 0
    doubled: float = 0
    shuffled: float = 0
    withheld: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Moods:
    """Everything that can be turned; shares are from 0 to 1.

    Attributes:
        latency_ms: Least and most of an answer's time, on the machine's clock.
        sent: Share of the accepted messages that are sent; the rest is never heard of.
        delivered: Share of the sent ones that are delivered.
        read: Share of the delivered ones that are read.
        reply: Share of the delivered ones that the contact answers.
        stop: Share of the delivered ones answered with STOP instead.
        delays_s: Business seconds from acceptance to ``sent``, ``delivered``, ``read``, ``reply``.
        errors: Share of the messages that end in an error, by its code.
        outage: What every call meets, or None.
        lose_answer: Share of the accepted calls that get no answer.
        seed: The same seed, contact and n-th call to the contact meet the same fate.
    """

    latency_ms: tuple[float, float] = (50, 150)
    sent: float = 1
    delivered: float = 1
    read: float = 0.6
    reply: float = 0
    stop: float = 0
    delays_s: Mapping[str, float] = field(
        default_factory=lambda: {"sent": 1, "delivered": 2, "read": 30, "reply": 60}
    )
    errors: Mapping[str, float] = field(default_factory=lambda: {"131026": 0.0})
    outage: Outage | None = None
    lose_answer: float = 0
    webhooks: Webhooks = field(default_factory=Webhooks)
    seed: int = 1

    def turned(self, body: object) -> Self:
        """Return these moods with the given keys of *body* changed.

        ``delays_s`` and ``webhooks`` are merged key by key, ``errors`` too (0 removes a code);
        ``outage`` ends with an explicit null or ``"none"``.

        Raises:
            Refused: A key or a value that is none.
        """
        values = read(body, {}, _CHECKS)
        given = cast("Json", body)
        changes: Json = {key: value for key, value in values.items() if value is not None}
        if changes.get("outage") == "none" or ("outage" in given and given["outage"] is None):
            changes["outage"] = None
        if "latency_ms" in changes:
            changes["latency_ms"] = tuple(changes["latency_ms"])
        if "delays_s" in changes:
            new = read(changes["delays_s"], {}, dict.fromkeys(_DELAYS, seconds))
            changes["delays_s"] = {**self.delays_s, **_present(new)}
        if "errors" in changes:
            merged = {**self.errors, **changes["errors"]}
            if sum(merged.values()) > 1:
                raise Refused("errors: the shares add up to more than 1")
            changes["errors"] = merged
        if "webhooks" in changes:
            new = read(changes["webhooks"], {}, _WEBHOOK_CHECKS)
            changes["webhooks"] = replace(self.webhooks, **_present(new))
        return replace(self, **changes)

    def as_json(self) -> Json:
        hooks = self.webhooks
        return {
            "latency_ms": list(self.latency_ms),
            "sent": self.sent,
            "delivered": self.delivered,
            "read": self.read,
            "reply": self.reply,
            "stop": self.stop,
            "delays_s": dict(self.delays_s),
            "errors": dict(self.errors),
            "outage": self.outage,
            "lose_answer": self.lose_answer,
            "webhooks": {
                "late_s": hooks.late_s,
                "doubled": hooks.doubled,
                "shuffled": hooks.shuffled,
                "withheld": hooks.withheld,
            },
            "seed": self.seed,
        }

    def dice(self, to: str, nth: int) -> Random:
        """Return the chance that rules the *nth* call to one contact."""
        return Random(crc32(f"{self.seed}:{to}:{nth}".encode()))  # noqa: S311 — a game, no secret

    def error(self, dice: Random) -> int | None:
        """Return the code of the error one message meets, or None."""
        if not self.errors:
            return None
        point = dice.random()
        for code, part in self.errors.items():
            if point < part:
                return int(code)
            point -= part
        return None


def seconds(value: object) -> bool:
    return number(value) and 0 <= cast("float", value) <= 365 * 86400


def outage(value: object) -> bool:
    return value in ("refuse", "500", "hang", "none")


def latency(value: object) -> bool:
    if not isinstance(value, list) or len(value) != 2:  # noqa: PLR2004 — least and most
        return False
    return all(number(part) for part in value) and 0 <= value[0] <= value[1] <= 60_000  # noqa: PLR2004 — a minute


def shares(value: object) -> bool:
    return isinstance(value, dict) and all(
        key.isascii() and key.isdigit() and share(part) for key, part in value.items()
    )


_DELAYS = ("sent", "delivered", "read", "reply")
_WEBHOOK_CHECKS: dict[str, Check] = {
    "late_s": seconds,
    "doubled": share,
    "shuffled": share,
    "withheld": share,
}
_CHECKS: dict[str, Check] = {
    "latency_ms": latency,
    **dict.fromkeys(("sent", "delivered", "read", "reply", "stop"), share),
    "delays_s": mapping,
    "errors": shares,
    "outage": outage,
    "lose_answer": share,
    "webhooks": mapping,
    "seed": count,
}


def _present(values: Json) -> Json:
    return {key: value for key, value in values.items() if value is not None}
