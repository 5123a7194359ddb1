"""What the platform says, kept once each, and what it changes of templates, numbers and taps."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from engine.places import Cap
from engine.ports import Notice, OwnNumber
from engine.updates import QualityScore, TemplateRef
from storage import effects, places, tasks, template_drafts
from storage import numbers as own_numbers
from storage.database import Unit
from storage.queries import load

_SQL = load("platform_events")
_BY_TEMPLATE = "WhatsApp set template "


class PlatformEvents:
    """`engine.ports.Platform`."""

    def __init__(self, unit: Unit) -> None:
        self.unit = unit

    async def keep(
        self, *, key: str, kind: str, content: Mapping[str, object] | str, at: datetime
    ) -> bool:
        row = await self.unit.row(_SQL["keep"], key=key, kind=kind, content=content, event_at=at)
        return row is not None

    async def tell(self, notice: Notice) -> None:
        await effects.tell_staff(self.unit, kind=notice.kind, campaign=None, content=notice.content)

    async def set_template(
        self,
        template: TemplateRef,
        *,
        at: datetime,
        status: str | None = None,
        category: str | None = None,
        quality: QualityScore | None = None,
    ) -> bool:
        named = {"name": template.name, "language": template.language}
        changed = await self.unit.row(
            _SQL["set_template"],
            **named,
            event_at=at,
            status=status,
            category=category,
            quality=quality.value if quality else None,
        )
        return changed is not None or not await self.unit.value(_SQL["knows_template"], **named)

    async def decide_draft(
        self, template: TemplateRef, *, reason: str | None, advice: str | None
    ) -> bool:
        of = (template.name, template.language)
        return bool(await template_drafts.decide(self.unit, of=of, reason=reason, advice=advice))

    async def fetch_templates(self) -> None:
        await tasks.request(self.unit, name=tasks.SYNC_TEMPLATES, by="platform")

    async def close_campaigns(self, template: TemplateRef, *, why: str) -> None:
        for row in await self.unit.rows(
            _SQL["campaigns_of_template"], name=template.name, language=template.language
        ):
            await effects.close_campaign(self.unit, campaign=row["id"], until=None, why=why)

    async def approved_again(self, template: TemplateRef) -> None:
        using = await self.unit.rows(
            _SQL["campaigns_of_template"], name=template.name, language=template.language
        )
        stopped = await self.unit.rows(
            _SQL["stopped_campaigns"], ids=[row["id"] for row in using], why=_BY_TEMPLATE
        )
        for row in stopped:
            content = {"name": template.name, "language": template.language}
            await effects.tell_staff(
                self.unit, kind="campaign_may_go_on", campaign=row["id"], content=content
            )

    async def read_accounts(self) -> None:
        await tasks.request(self.unit, name=tasks.READ_ACCOUNTS, by="platform")

    async def set_numbers(
        self,
        numbers: Sequence[OwnNumber],
        *,
        messages_per_second: int | None = None,
        messaging_limit: str | None = None,
    ) -> None:
        if messaging_limit is not None:
            # Campaigns that wait for a place look again; who finds none waits on.
            await places.open_held(self.unit, whys=[Cap.MESSAGING_LIMIT])
        await self.unit.run(
            _SQL["set_numbers"],
            ids=[number.id for number in numbers],
            phones=[number.phone for number in numbers],
            messages_per_second=messages_per_second,
            messaging_limit=messaging_limit,
        )
        if messages_per_second is not None or messaging_limit is not None:
            for number in numbers:
                await own_numbers.wake(self.unit, number=number.id)

    async def close_numbers(
        self, numbers: Sequence[OwnNumber], *, until: datetime | None, why: str
    ) -> None:
        await self.set_numbers(numbers)
        for number in sorted(numbers, key=lambda number: number.id):
            await effects.close_numbers(self.unit, number=number.id, until=until, why=why)

    async def allowed_again(self, numbers: Sequence[OwnNumber], *, why: str) -> None:
        stopped = await self.unit.rows(
            _SQL["stopped_numbers"], ids=[number.id for number in numbers], why=why
        )
        for row in stopped:
            await effects.tell_staff(
                self.unit, kind="number_may_go_on", campaign=None, content={"number": row["id"]}
            )
