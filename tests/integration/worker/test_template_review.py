"""Drafts are brought to WhatsApp once each, whatever becomes of the answer."""

from datetime import timedelta

import pytest

from engine.template_draft import Draft
from engine.templates import Category
from engine.usecases.submit_template import NotReady, submit_template
from storage.template_drafts import StaffDrafts
from tests.database import ACME
from tests.integration.worker.test_sync import template
from tests.integration.worker.world import World, worker
from worker.synchronization import sync_templates
from worker.template_review import submit_templates


def _draft(body: str) -> Draft:
    return Draft(name="spring", language="en", category=Category.MARKETING, body=body)


async def _submit(world: World, body: str = "Hello there") -> None:
    async with world.database.unit(ACME, world.clock.now()) as unit:
        drafts = StaffDrafts(unit, "U0OWNER")
        listed = await drafts.listed("spring", "en")
        await drafts.save(_draft(body), template_id=listed.id if listed else None)
        await submit_template(name="spring", language=None, at=unit.at, drafts=drafts)


async def _state(world: World) -> tuple[str, str | None]:
    (row,) = await world.rows("select state, problem from template_drafts")
    return row["state"], row["problem"]


async def _bring(world: World) -> None:
    while await submit_templates(worker(world), ACME):
        pass


async def test_a_draft_is_brought_and_then_pending(world: World) -> None:
    await _submit(world)

    await _bring(world)

    assert [each["components"] for each in world.platform.templates] == [
        [{"type": "BODY", "text": "Hello there"}]
    ]
    assert await _state(world) == ("pending", None)
    assert await world.value("select status from templates where name = 'spring'") == "PENDING"


async def test_a_lost_answer_never_makes_it_twice(world: World) -> None:
    world.platform.review = "lose the answer"
    await _submit(world)
    await _bring(world)
    assert (await _state(world))[0] == "submitted"

    world.platform.review = "accept"
    world.clock.advance(timedelta(minutes=1))
    await _bring(world)

    assert len(world.platform.templates) == 1
    assert (await _state(world))[0] == "pending"


async def test_an_outage_is_waited_out(world: World) -> None:
    world.platform.review = "500"
    await _submit(world)
    await _bring(world)
    assert await _state(world) != ("submitted", None)
    assert (await _state(world))[0] == "submitted"

    world.platform.review = "accept"
    await _bring(world)
    assert world.platform.templates == []
    world.clock.advance(timedelta(minutes=1))
    await _bring(world)

    assert (await _state(world))[0] == "pending"


async def test_what_whatsapp_does_not_take_is_a_draft_again_with_its_words(world: World) -> None:
    world.platform.review = "refuse"
    await _submit(world)

    await _bring(world)

    assert await _state(world) == ("draft", "Too long.")
    told = await world.value("select content from events where kind = 'template_refused'")
    assert (told["why"], told["by"]) == ("Too long.", "U0OWNER")


async def test_a_decision_whose_webhook_never_came_is_found_in_the_list(world: World) -> None:
    await _submit(world)
    await _bring(world)
    world.clock.advance(timedelta(hours=1))
    world.platform.templates[0] |= {"status": "REJECTED", "rejected_reason": "SCAM"}

    await sync_templates(worker(world), ACME)
    await sync_templates(worker(world), ACME)

    row = (await world.rows("select state, reason from template_drafts"))[0]
    assert row == {"state": "rejected", "reason": "SCAM"}
    events = await world.rows("select content from events where kind = 'template_decided'")
    assert [each["content"]["by"] for each in events] == ["U0OWNER"]


async def test_an_approved_template_changes_once_a_day(world: World) -> None:
    world.platform.templates = [template("spring", id="17")]
    await sync_templates(worker(world), ACME)
    await _submit(world, "Hello again")
    await _bring(world)
    assert world.platform.templates[0]["components"] == [{"type": "BODY", "text": "Hello again"}]
    world.platform.templates[0]["status"] = "APPROVED"
    world.clock.advance(timedelta(hours=1))
    await sync_templates(worker(world), ACME)
    assert (await _state(world))[0] == "approved"

    with pytest.raises(NotReady, match="once in 24 hours"):
        await _submit(world, "Hello once more")

    world.clock.advance(timedelta(hours=24))
    await _submit(world, "Hello once more")
    await _bring(world)
    assert world.platform.templates[0]["components"] == [
        {"type": "BODY", "text": "Hello once more"}
    ]
