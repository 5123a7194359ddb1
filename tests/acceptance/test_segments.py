"""Lists and segments: staff say whom they mean, look at them, and write to them."""

import asyncio

from tests.acceptance.steps import bring, phones, send, sent_to
from tests.system import System


async def test_a_list_by_hand_gets_a_broadcast_and_who_comes_later_does_not(
    system: System,
) -> None:
    numbers = phones(191, 4)
    await bring(system, numbers, "bylist")
    *listed, late = numbers

    await system.ask('list new "Testers" about="Try new things first"')
    added = await system.ask(f'list add "Testers" {",".join(listed)}')
    overview = await system.ask("list list")
    sent = await send(system, "Bylist", '"list:Testers"', audience=3)
    await system.ask(f"list add Testers {late}")

    assert "put 3 contacts on *Testers*" in added
    assert "*Testers* · 3 contacts · Try new things first" in overview
    assert sent["sent"] == 3
    assert sorted(m["to"] for m in await sent_to(system, numbers)) == listed
    assert "4 contacts" in await system.ask("list show Testers")


async def test_hot_leads_are_found_previewed_and_written_to(system: System) -> None:
    numbers = phones(192, 4)
    hot, customer, elsewhere, silent = numbers
    for phone, tags, city in (
        (hot, "segmented", "Amsterdam"),
        (customer, "segmented,segmentcustomer", "Amsterdam"),
        (elsewhere, "segmented", "Gent"),
        (silent, "segmented", "Amsterdam"),
    ):
        await system.ask(f"contact add {phone} first_name=P{phone[-4:]} tags={tags} city={city}")
    for phone in (hot, customer, elsewhere):
        await system.writes(phone, "Tell me more")

    made = await system.ask(
        'segment new "Keen leads" tag:segmented and not tag:segmentcustomer'
        ' and city is "amsterdam" and last_reply within 30d'
    )
    preview = await system.ask("segment preview Keen")
    sent = await send(system, "Hotmail", '"segment:Keen leads"', audience=1)

    assert "created the segment *Keen leads*: 1 contact." in made
    assert f"P{hot[-4:]}" in preview
    assert sent["sent"] == 1
    assert [m["to"] for m in await sent_to(system, numbers)] == [hot]


async def test_a_static_segment_stays_while_a_dynamic_one_follows(system: System) -> None:
    numbers = phones(193, 3)
    await bring(system, numbers[:2], "staying")
    await system.ask("segment new Stays tag:staying static=yes")
    await system.ask("segment new Follows tag:staying")

    await bring(system, numbers[2:], "staying")
    stays = await system.ask("segment show Stays")
    follows = await system.ask("segment show Follows")
    refreshed = await system.ask("segment refresh Stays")

    assert "2 contacts" in stays
    assert "static, refreshed" in stays
    assert "3 contacts" in follows
    assert "1 contact came, 0 contacts went" in refreshed
    assert "3 contacts" in await system.ask("segment show Stays")


async def test_what_is_in_use_is_not_deleted(system: System) -> None:
    await system.ask("list new Needed")
    await system.ask("segment new Needing list:Needed")
    await system.ask("broadcast new Needy to=segment:Needing template=followup")

    assert "the segment 'Needing'" in await system.ask("list delete Needed")
    assert "the broadcast 'Needy'" in await system.ask("segment delete Needing")


async def test_every_operator_is_understood_and_counts_whom_it_means(system: System) -> None:
    numbers = phones(194, 3)
    ada, ben, cleo = numbers
    await system.ask(
        f"contact add {ada} name=Ada company=Analytical tags=every,everyvip"
        " town=Utrecht spent=120.5 renews=2030-01-10 member=yes"
    )
    await system.ask(
        f"contact add {ben} name=Ben tags=every town=Ulm spent=3 renews=2020-01-10 member=no"
    )
    await system.ask(f"contact add {cleo} name=Cleo tags=every")
    await system.ask("campaign new Everyday")
    await system.ask("step add Everyday after=0m template=followup")
    await system.ask("campaign activate Everyday")
    await system.ask(f"enroll Everyday {ada},{ben}")
    async with asyncio.timeout(20):
        while len(await sent_to(system, numbers)) < 2:  # noqa: ASYNC110 — a ledger
            await asyncio.sleep(0.1)
    await system.settle()
    await system.writes(ada, "Yes please")
    await system.ask(f"contact optout {ben}")
    await system.ask("list new Everylist")
    await system.ask(f"list add Everylist {cleo}")

    expected = {
        "tag:everyvip": 1,
        "not tag:everyvip": 2,
        "tag:everyvip or list:Everylist": 2,
        'town is "utrecht"': 1,
        'town is not "utrecht"': 2,
        'town contains "l"': 1,
        'town begins with "u"': 2,
        "town is set": 2,
        "town is not set": 1,
        "spent = 3": 1,
        "spent != 3": 2,
        "spent < 3": 0,
        "spent <= 3": 1,
        "spent > 3": 1,
        "spent >= 3": 2,
        "renews before 2025-01-01": 1,
        "renews after 2025-01-01": 1,
        "renews on 2030-01-10": 1,
        "renews older than 90d": 1,
        "renews within the next 90d": 0,
        "renews within 90d": 0,
        "member is yes": 1,
        "member is no": 1,
        "created within 1d": 3,
        "created older than 1d": 0,
        "last_message within 1d": 2,
        "last_reply is set": 1,
        "last_reply within 1d": 1,
        "country is nl": 3,
        "language is set": 0,
        'source begins with "slack"': 3,
        'company is "Analytical"': 1,
        "consent is reachable": 2,
        "consent is opted_out": 1,
        "conversations = 0": 3,
        "rating is not set": 3,
        "status is not set": 3,
        "enrolled:Everyday": 2,
        "replied:Everyday": 1,
        "finished:Everyday or replied:Everyday": 2,
        "clicked:Everyday": 0,
        "list:Everylist": 1,
        f"phone:{ada}": 1,
    }
    found = {}
    for written in expected:
        said = await system.ask(f"segment preview tag:every and ({written})")
        found[written] = int(said.split(" holds ")[1].split()[0])

    assert found == expected


async def test_what_is_no_segment_is_refused_with_the_place(system: System) -> None:
    await bring(system, phones(195, 1), "refusable")

    slip = await system.ask("segment new Refused tag:refusabel")
    unfinished = await system.ask("segment new Refused tag:refusable and")
    name = await system.ask(f"segment new {'x' * 10_000} tag:refusable")
    shown = await system.ask("segment list")

    assert "nobody has the tag" in slip
    assert "did you mean tag" in slip
    assert "at the end: expected a condition" in unfinished
    assert "at most 80 characters" in name
    assert "Refused" not in shown
