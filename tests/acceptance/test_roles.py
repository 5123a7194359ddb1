"""Who may do what: owners all, supervisors look, agents talk, strangers ask."""

import pytest

from tests.acceptance.steps import people, phones
from tests.system import AGENT, OWNER, OWNER2, STRANGER, SUPERVISOR, System, button, words

CHANGES = (
    'campaign new "Sneaky"',
    "campaign activate Sneaky",
    "step add Sneaky after=0m template=followup",
    "enroll Sneaky all",
    'broadcast new "Sneaky" to=all template=followup',
    "contact optout all",
)
LOOKS = ("campaign list", "broadcast list", "status", "template list", "contact find tag:demo")


@pytest.mark.parametrize("text", CHANGES)
async def test_only_owners_change_anything(system: System, text: str) -> None:
    for user, role in ((AGENT, "you are an agent"), (SUPERVISOR, "you are a supervisor")):
        answer = await system.ask(text, user=user)
        assert "for owners" in answer
        assert role in answer
    assert f"<@{OWNER}>" in await system.ask(text, user=STRANGER)
    assert "Sneaky" not in await system.ask("campaign list") + await system.ask("broadcast list")


@pytest.mark.parametrize("text", LOOKS)
async def test_supervisors_look(system: System, text: str) -> None:
    answer = await system.ask(text, user=SUPERVISOR)

    assert "is for" not in answer
    assert f"<@{OWNER}>" not in answer


async def test_strangers_are_told_whom_to_ask(system: System) -> None:
    answer = await system.ask("status", user=STRANGER)

    assert "not on the staff" in answer
    assert f"<@{OWNER}>" in answer
    assert f"<@{OWNER2}>" in answer
    assert "Redis" not in answer


async def test_a_button_asks_the_role_again(system: System) -> None:
    await system.upload("buttons.csv", people(phones(110, 1), "buttons"))
    verdicts = await system.says("buttons.csv", "Import 1")

    for user in (AGENT, SUPERVISOR, STRANGER):
        await system.click(verdicts, button(verdicts, "Import")["action_id"], user=user)
    await system.settle()

    assert "No contact" in await system.ask("contact find tag:buttons")
    again = await system.says("buttons.csv", "Import 1")
    await system.click(again, button(again, "Discard")["action_id"])
    assert f"<@{OWNER}> discarded" in words(await system.says("discarded"))


async def test_others_cannot_import(system: System) -> None:
    await system.upload("agent.csv", people(phones(111, 1), "agents"), user=AGENT)

    said = words(await system.says("for owners", "nothing was imported"))
    assert f"<@{OWNER}>" in said
