"""Whoever may not, or works elsewhere, sees and changes nothing, by whatever command."""

from collections.abc import AsyncIterator

import pytest

from engine.roles import Role
from storage.database import Database
from tests.database import GLOBEX
from tests.integration.slack.invocations import SPECS, full, plain, valued
from tests.integration.slack.swept_house import House, opened

# What only Acme has, and no example says.
_OURS = (
    "Byron",
    "Hopper",
    "Lovelace",
    "Welcoming",
    "Resting",
    "Halted",
    "Begun",
    "Sale of May",
    "leads of May",
    "judged.csv",
    "menu card",
    "spring_late",
    "hungry",
)
_MAY = {
    "U0SUPER": {Role.SUPERVISOR, Role.AGENT},
    "U0AGENT": {Role.AGENT},
    "U0STRANGER": set[Role](),
}


@pytest.fixture
async def house(database: Database, postgres: tuple[str, str]) -> AsyncIterator[House]:
    async with opened(database, postgres[1]) as house:
        yield house


async def test_an_owner_elsewhere_sees_and_changes_nothing_of_ours(house: House) -> None:
    faults: list[str] = []
    whose = set[str]()
    invocations = [plain(spec) for spec in SPECS]
    invocations += [full(spec, part) for spec in SPECS for part in valued(spec)]
    for text in dict.fromkeys(map(str, invocations)):
        answer = await house.say_alone(text, user="U0GLOBEX", organization=GLOBEX)
        if answer.broken or answer.logged or not answer.text:
            faults.append(f"{text} broke: {answer.text} {answer.logged}")
        whose |= answer.whose
        if answer.whose - {GLOBEX}:
            faults.append(f"{text} changed {sorted(answer.changed)} of {sorted(answer.whose)}")
        seen = [ours for ours in _OURS if ours not in text and any(ours in t for t in answer.texts)]
        if seen:
            faults.append(f"{text} shows {seen}: {answer.texts}")

    assert not faults, "\n".join(faults)
    assert whose == {GLOBEX}  # what makes something new makes it there


@pytest.mark.parametrize("user", _MAY)
async def test_who_may_not_is_told_so_and_changes_nothing(house: House, user: str) -> None:
    faults: list[str] = []
    for spec in SPECS:
        if spec.role in _MAY[user] or spec.role is None:
            continue
        answer = await house.say_alone(str(plain(spec)), user=user)
        if answer.broken or answer.logged or answer.changed:
            faults.append(f"{spec.name} changed {sorted(answer.changed)}: {answer.text}")
        told = "not on the staff" if user == "U0STRANGER" else "is for"
        if told not in answer.text:
            faults.append(f"{spec.name} says: {answer.text}")

    assert not faults, "\n".join(faults)
