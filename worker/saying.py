"""What is said to whom: what steps say, kept from claim to claim, filled in, with its file."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog

from engine import gate
from engine.content import (
    Content,
    Text,
    UnreadableContent,
    from_json,
    library_file,
    with_file_id,
)
from engine.ids import CampaignId, NumberId, StepId
from engine.personalise import InvalidText, Missing
from engine.reasons import Reason
from engine.rendering import values_of
from engine.step_words import StepWords
from storage import media, sending
from storage.database import Unit
from storage.sending import Due, OpenCampaign, Recipient, StepContent

FILE_PAUSE = timedelta(seconds=5)
"""A message whose file has no id on the number yet is looked at again after it."""

log = structlog.get_logger()


class Said(NamedTuple):
    """What a message says to its contact.

    Attributes:
        words: Of its step.
        free_form: It needs an open service window.
        content: Filled in; Missing: the contact lacks a value it names.
    """

    words: StepWords
    free_form: bool
    content: Content | Missing


class Saying:
    """What is said on one number."""

    def __init__(self, number: NumberId) -> None:
        self.number = number
        self._words: dict[tuple[CampaignId, int], dict[StepId, StepWords | None]] = {}
        # The number's ids of the library's files that this claim sends; None: it has none yet.
        self._files: Mapping[str, str | None] = {}
        self._wanted_files: set[str] = set()

    async def know_steps(self, unit: Unit, campaigns: Iterable[OpenCampaign]) -> None:
        """Read what *campaigns* say, where it has changed since the last claim."""
        wanted = {(campaign.id, campaign.version) for campaign in campaigns}
        for old in self._words.keys() - wanted:
            del self._words[old]
        versions = dict(wanted - self._words.keys())
        if not versions:
            return
        # Kept once all of it is known: a step that is not in there counts as removed.
        known: dict[tuple[CampaignId, int], dict[StepId, StepWords | None]]
        known = {key: {} for key in versions.items()}
        for step in await sending.contents_of(unit, campaigns=list(versions)):
            known[step.campaign_id, versions[step.campaign_id]][step.step_id] = _words(step)
        self._words |= known

    async def know_files(
        self, unit: Unit, due: Iterable[Due], campaigns: Mapping[CampaignId, OpenCampaign]
    ) -> None:
        """Look up the ids of the library's files that *due* messages send."""
        self._wanted_files.clear()
        files: set[str] = set()
        for one in due:
            if one.message.campaign_id is None:
                files |= _files_of(one.content)
                continue
            campaign = campaigns[one.message.campaign_id]
            words = self._words[campaign.id, campaign.version].get(one.message.step_id)
            if words is not None:
                files |= words.files
        self._files = await media.ids(unit, number=self.number, files=files) if files else {}

    async def want_files(self, unit: Unit) -> None:
        """Ask for ids of the files a message had to wait for."""
        if self._wanted_files:
            await media.want(unit, number=self.number, files=self._wanted_files)

    def of_campaign(self, due: Due, campaign: OpenCampaign, at: datetime) -> Said | gate.Skip:
        """Return what a step says to a contact, in its service window or outside it."""
        steps = self._words[campaign.id, campaign.version]
        if due.message.step_id not in steps:
            return gate.Skip(reason=Reason.STEP_REMOVED)
        words = steps[due.message.step_id]
        if words is None:
            return gate.Skip(reason=Reason.TEMPLATE_UNUSABLE)
        rendering = words.for_window(due.recipient.last_inbound_at, at)
        return Said(
            words=words,
            free_form=rendering.free_form,
            content=rendering.filled(_values(due.recipient, rendering.names)),
        )

    def has_free_form(self, campaign: OpenCampaign) -> bool:
        """Whether *campaign* says anything that needs an open service window."""
        steps = self._words[campaign.id, campaign.version].values()
        return any(words is not None and words.rendering.free_form for words in steps)

    def outside_campaigns(self, due: Due) -> Content | gate.Skip:
        """Return what a confirmation says, or what staff sent to one contact."""
        if due.content is None:
            return Text(body=due.body or "")
        try:
            return from_json(due.content)
        except UnreadableContent:
            return gate.Skip(reason=Reason.TEMPLATE_UNUSABLE)

    def ready(self, content: Content | Missing, at: datetime) -> Content | gate.Defer | gate.Skip:
        """Put the number's id for a file of the library into *content*, or wait for one."""
        if isinstance(content, Missing):
            return gate.Skip(reason=Reason.MISSING_VALUE)
        name = library_file(content)
        if name is None:
            return content
        if name not in self._files:
            return gate.Skip(reason=Reason.TEMPLATE_UNUSABLE)
        file_id = self._files[name]
        if file_id is None:
            self._wanted_files.add(name)
            return gate.Defer(until=at + FILE_PAUSE)
        return with_file_id(content, file_id)


def _words(step: StepContent) -> StepWords | None:
    """Return what a step says; None: it cannot be read, and must not stop the others."""
    try:
        return StepWords.saying(
            from_json(step.content),
            fallback=None if step.fallback is None else from_json(step.fallback),
            hours=step.hours,
            days=step.days,
        )
    except (UnreadableContent, InvalidText):
        log.error("step.unreadable", step=step.step_id)  # noqa: TRY400 — its text may hold what logs must not
        return None


def _files_of(content: object) -> set[str]:
    if content is None:
        return set()
    try:
        name = library_file(from_json(content))
    except UnreadableContent:
        return set()  # left out where it is judged
    return set() if name is None else {name}


def _values(recipient: Recipient, names: Collection[str]) -> dict[str, str]:
    return values_of(
        name=recipient.name,
        first_name=recipient.first_name,
        company=recipient.company,
        email=recipient.email,
        phone=recipient.phone,
        attributes=recipient.attributes,
        properties=recipient.properties,
        names=names,
    )
