"""What is said to whom: what steps say, kept from claim to claim, filled in, with its file."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog

from engine import gate
from engine.content import Text, UnreadableContent, from_json, library_file
from engine.ids import CampaignId, NumberId, StepId
from engine.payloads import Unsendable
from engine.personalise import BUILT_IN, InvalidText, Missing
from engine.reasons import Reason
from engine.rendering import values_of
from engine.step_words import StepWords
from storage import media, sending
from storage.database import Unit
from storage.sending import Due, OpenCampaign, Recipient, StepContent
from worker.wording import Phrase, Phrases, Wording

FILE_PAUSE = timedelta(seconds=5)
"""A message whose file has no id on the number yet is looked at again after it."""

log = structlog.get_logger()


class Step(NamedTuple):
    """What a step says to contacts; *fallback* where its words have one."""

    words: StepWords
    usual: Phrases
    fallback: Phrases | None

    def for_window(self, last_inbound_at: datetime | None, at: datetime) -> Phrases:
        rendering = self.words.for_window(last_inbound_at, at)
        if self.fallback is None or rendering is self.words.rendering:
            return self.usual
        return self.fallback


class Said(NamedTuple):
    """What a message says to its contact.

    Attributes:
        words: Of its step.
        free_form: It needs an open service window.
        phrase: Missing: the contact lacks a value it names.
    """

    words: StepWords
    free_form: bool
    phrase: Phrase | Missing


class Saying:
    """What is said on one number."""

    def __init__(self, number: NumberId) -> None:
        self.number = number
        self._steps: dict[tuple[CampaignId, int], dict[StepId, Step | None]] = {}
        # The number's ids of the library's files that this claim sends; None: it has none yet.
        self._files: Mapping[str, str | None] = {}
        self._wanted_files: set[str] = set()

    async def know_steps(self, unit: Unit, campaigns: Iterable[OpenCampaign]) -> None:
        """Read what *campaigns* say, where it has changed since the last claim."""
        wanted = {(campaign.id, campaign.version) for campaign in campaigns}
        if not wanted:
            return  # most claims of a number with a pace: what is known will be wanted again
        for old in self._steps.keys() - wanted:
            del self._steps[old]
        versions = dict(wanted - self._steps.keys())
        if not versions:
            return
        # Kept once all of it is known: a step that is not in there counts as removed.
        known: dict[tuple[CampaignId, int], dict[StepId, Step | None]]
        known = {key: {} for key in versions.items()}
        for step in await sending.contents_of(unit, campaigns=list(versions)):
            known[step.campaign_id, versions[step.campaign_id]][step.step_id] = _step(step)
        self._steps |= known

    def names_attributes(self) -> bool:
        """Whether any step of the campaigns known last names more than every contact has."""
        return any(
            step is not None and not step.words.names.issubset(BUILT_IN)
            for steps in self._steps.values()
            for step in steps.values()
        )

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
            step = self._steps[campaign.id, campaign.version].get(one.message.step_id)
            if step is not None:
                files |= step.words.files
        self._files = await media.ids(unit, number=self.number, files=files) if files else {}

    async def want_files(self, unit: Unit) -> None:
        """Ask for ids of the files a message had to wait for."""
        if self._wanted_files:
            await media.want(unit, number=self.number, files=self._wanted_files)

    def of_campaign(self, due: Due, campaign: OpenCampaign, at: datetime) -> Said | gate.Skip:
        """Return what a step says to a contact, in its service window or outside it."""
        steps = self._steps[campaign.id, campaign.version]
        if due.message.step_id not in steps:
            return gate.Skip(reason=Reason.STEP_REMOVED)
        step = steps[due.message.step_id]
        if step is None:
            return gate.Skip(reason=Reason.TEMPLATE_UNUSABLE)
        phrases = step.for_window(due.recipient.last_inbound_at, at)
        return Said(
            words=step.words,
            free_form=phrases.free_form,
            phrase=phrases.to(_values(due.recipient, phrases.names)),
        )

    def has_free_form(self, campaign: OpenCampaign) -> bool:
        """Whether *campaign* says anything that needs an open service window."""
        steps = self._steps[campaign.id, campaign.version].values()
        return any(step is not None and step.usual.free_form for step in steps)

    def outside_campaigns(self, due: Due) -> Phrase | gate.Skip:
        """Return what a confirmation says, or what staff sent to one contact."""
        if due.content is None:
            return Phrase(Text(body=due.body or ""))
        try:
            return Phrase(from_json(due.content))
        except UnreadableContent:
            return gate.Skip(reason=Reason.TEMPLATE_UNUSABLE)

    def ready(self, phrase: Phrase | Missing, at: datetime) -> Wording | gate.Defer | gate.Skip:
        """Word *phrase* with the number's id for its file of the library, or wait for one."""
        if isinstance(phrase, Missing):
            return gate.Skip(reason=Reason.MISSING_VALUE)
        file_id = None
        if phrase.file is not None:
            if phrase.file not in self._files:
                return gate.Skip(reason=Reason.TEMPLATE_UNUSABLE)
            file_id = self._files[phrase.file]
            if file_id is None:
                self._wanted_files.add(phrase.file)
                return gate.Defer(until=at + FILE_PAUSE)
        try:
            return phrase.worded(file_id)
        except Unsendable:
            return gate.Skip(reason=Reason.TEMPLATE_UNUSABLE)


def _step(step: StepContent) -> Step | None:
    """Return what a step says; None: it cannot be read, and must not stop the others."""
    try:
        words = StepWords.saying(
            from_json(step.content),
            fallback=None if step.fallback is None else from_json(step.fallback),
            hours=step.hours,
            days=step.days,
        )
    except (UnreadableContent, InvalidText):
        log.error("step.unreadable", step=step.step_id)  # noqa: TRY400 — its text may hold what logs must not
        return None
    fallback = None if words.fallback is None else Phrases(words.fallback)
    return Step(words=words, usual=Phrases(words.rendering), fallback=fallback)


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
        attributes=recipient.attributes or {},
        properties=recipient.properties,
        names=names,
    )
