"""What a step says to one contact: the message, or its fallback, and why it cannot be said."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from engine.campaign import Settings
from engine.content import Content, library_file, with_file_id
from engine.gate import window_open
from engine.payloads import Unsendable, message_payload
from engine.personalise import Missing
from engine.phone import Phone
from engine.reasons import Reason
from engine.rendering import Rendering

_ANYBODY = Phone("+31600000000")


@dataclass(frozen=True, slots=True, kw_only=True)
class StepWords:
    """What a step says, and in which hours of its own; None: the campaign's.

    Attributes:
        files: Those of the media library it may send.
    """

    rendering: Rendering
    fallback: Rendering | None
    hours: str | None
    days: str | None
    files: frozenset[str]

    @classmethod
    def saying(
        cls, content: Content, *, fallback: Content | None, hours: str | None, days: str | None
    ) -> Self:
        """Take a step's contents apart.

        Raises:
            InvalidText: A text in them cannot be personalised.
        """
        named = (library_file(each) for each in (content, fallback) if each is not None)
        return cls(
            rendering=Rendering.of(content),
            fallback=None if fallback is None else Rendering.of(fallback),
            hours=hours,
            days=days,
            files=frozenset(name for name in named if name is not None),
        )

    @property
    def names(self) -> frozenset[str]:
        """Of all tokens in it."""
        return self.rendering.names | (self.fallback.names if self.fallback else frozenset())

    def for_window(self, last_inbound_at: datetime | None, at: datetime) -> Rendering:
        """Return what is said at the instant *at*: the fallback where the window is closed."""
        if self.fallback is None or not self.rendering.free_form:
            return self.rendering
        return self.rendering if window_open(last_inbound_at, at) else self.fallback

    def settings_over(self, campaign: Settings) -> Settings:
        if self.hours is None and self.days is None:
            return campaign
        return replace(
            campaign, hours=self.hours or campaign.hours, days=self.days or campaign.days
        )


def unfit(content: Content | Missing) -> Reason | None:
    """Return why filled *content* cannot be sent to anybody; None: it can."""
    if isinstance(content, Missing):
        return Reason.MISSING_VALUE
    try:
        message_payload(to=_ANYBODY, bsuid=None, content=_uploaded(content), callback_data="")
    except Unsendable:
        return Reason.TEMPLATE_UNUSABLE
    return None


def _uploaded(content: Content) -> Content:
    """Return it as it is once the platform has its file: that one is being fetched is no end."""
    return content if library_file(content) is None else with_file_id(content, "0")


class Fitness:
    """Whether a rendering can be filled for contacts, reckoned once for the same values.

    Contacts share most values that are asked for; of those that do not, *known* are kept.
    """

    def __init__(self, rendering: Rendering, *, known: int = 20_000) -> None:
        self._rendering = rendering
        self._names = tuple(
            dict.fromkeys(token.name for text in rendering.texts.values() for token in text.tokens)
        )
        self._known: dict[tuple[str | None, ...], Reason | None] = {}
        self._limit = known

    def against(self, values: Mapping[str, str]) -> Reason | None:
        """Return why it cannot be sent to who has *values*; None: it can."""
        key = tuple(values.get(name) for name in self._names)
        if key in self._known:
            return self._known[key]
        reason = unfit(self._rendering.filled(values))
        if len(self._known) < self._limit:
            self._known[key] = reason
        return reason
