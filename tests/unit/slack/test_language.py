"""The commands as staff write them."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.slack.declare import Command
from bot.slack.grammar import HelpWanted, NotUnderstood
from bot.slack.kinds import Off
from bot.slack.language import COMMANDS, LANGUAGE
from bot.slack.language.broadcasts import BroadcastNew, BroadcastSend
from bot.slack.language.campaigns import (
    CampaignList,
    CampaignNew,
    CampaignPause,
    Enroll,
    Enrollments,
)
from bot.slack.language.contacts import ContactAdd, ContactFind, ContactTag
from bot.slack.language.general import Help
from bot.slack.language.steps import StepAdd, StepRemove
from bot.slack.manual import examples, reference
from engine.campaign import Mode, Rate, Reentry, State, Type, UnknownPolicy
from engine.content import MediaRef
from engine.phone import Phone

_REFERENCE = Path(__file__).parents[3] / "docs" / "commands.md"


@pytest.mark.parametrize(
    ("text", "understood"),
    [
        pytest.param(
            'campaign new "Welcome" trigger=tag:lead stop_on_reply=yes',
            CampaignNew(name="Welcome", trigger="tag:lead"),
            id="a campaign",
        ),
        pytest.param(
            "campaign new A type=survey number=+15550001111 per_day=1,000 hours=8:00-20:00"
            " days=mon-fri,sun rate=300/min reentry=after mode=interrupt priority=9 deadline=2d"
            " unknown=drop stop_on_reply=no trigger=contact_created",
            CampaignNew(
                name="A",
                trigger="contact_created",
                stop_on_reply=False,
                type=Type.SURVEY,
                number=Phone("+15550001111"),
                per_day=1000,
                hours="08:00-20:00",
                days="mon-fri,sun",
                rate=Rate(count=300, unit="min"),
                reentry=Reentry.AFTER,
                mode=Mode.INTERRUPT,
                priority=9,
                deadline=timedelta(days=2),
                unknown=UnknownPolicy.DROP,
            ),
            id="every option",
        ),
        pytest.param(
            "campaign new A hours=off deadline=off trigger=tag:“Very Hot”",
            CampaignNew(name="A", hours="off", deadline=Off.OFF, trigger="tag:very hot"),
            id="off is not absent",
        ),
        pytest.param(
            "CAMPAIGN New A Stop-On-Reply=NO", CampaignNew(name="A", stop_on_reply=False), id="case"
        ),
        pytest.param("/drip campaign new A", CampaignNew(name="A"), id="the command once more"),
        pytest.param(
            "campaign list paused mine",
            CampaignList(state=State.PAUSED, mine=True),
            id="a state and a flag",
        ),
        pytest.param("campaign list mine", CampaignList(mine=True), id="a flag alone"),
        pytest.param(
            "campaign pause Black Friday", CampaignPause(campaign="Black Friday"), id="the rest"
        ),
        pytest.param('campaign pause "help"', CampaignPause(campaign="help"), id="quoted help"),
        pytest.param(
            "step add Welcome after=5d template=offer 1={first_name|there} 2=10% url=welcome",
            StepAdd(
                campaign="Welcome",
                after=timedelta(days=5),
                template="offer",
                parameters=(("1", "{first_name|there}"), ("2", "10%"), ("url", "welcome")),
            ),
            id="template parameters",
        ),
        pytest.param(
            'step add "Big Sale" text=“Hi \\{{first_name|you}” after=1h30m',
            StepAdd(
                campaign="Big Sale", after=timedelta(minutes=90), text="Hi \\{{first_name|you}"
            ),
            id="a text with tokens",
        ),
        pytest.param(
            "step add W after=0m media=<https://acme.com/a.pdf> caption=Menu",
            StepAdd(
                campaign="W",
                after=timedelta(0),
                media=MediaRef(link="https://acme.com/a.pdf"),
                caption="Menu",
            ),
            id="a file by its address",
        ),
        pytest.param(
            "step remove Welcome 2", StepRemove(campaign="Welcome", step=2), id="a number"
        ),
        pytest.param(
            "enroll Welcome all count=12,431",
            Enroll(campaign="Welcome", who="all", count=12431),
            id="a count",
        ),
        pytest.param(
            "enroll Welcome <tel:+31612345678|+31 6 12>, tag:vip",
            Enroll(campaign="Welcome", who="+31612345678, tag:vip"),
            id="several, with a space after the comma",
        ),
        pytest.param(
            "enrollments Welcome opted_out",
            Enrollments(campaign="Welcome", state="opted_out"),
            id="a choice",
        ),
        pytest.param(
            'broadcast new Sale to=tag:"very hot",all template=followup rate=5/s',
            BroadcastNew(
                name="Sale",
                to='tag:"very hot",all',
                template="followup",
                rate=Rate(count=5, unit="s"),
            ),
            id="a broadcast",
        ),
        pytest.param(
            "broadcast send Sale count=194", BroadcastSend(broadcast="Sale", count=194), id="send"
        ),
        pytest.param(
            'contact add +31 6 1234 5678 name="Ada Lovelace" tags=vip, Lead Shoe-Size=38',
            ContactAdd(
                phone="+31 6 1234 5678",
                name="Ada Lovelace",
                tags=("vip", "lead"),
                attributes=(("Shoe-Size", "38"),),
            ),
            id="a contact with attributes of its own",
        ),
        pytest.param(
            "contact tag +31 6 12345678 2024",
            ContactTag(who="+31 6 12345678", tag="2024"),
            id="a number with spaces before a tag of digits",
        ),
        pytest.param("contact find ada love", ContactFind(text="ada love"), id="a search"),
        pytest.param("help campaign new", Help(command="campaign new"), id="help"),
    ],
)
def test_a_command_is_understood(text: str, understood: Command) -> None:
    assert LANGUAGE.parse(text) == understood


@pytest.mark.parametrize(
    ("text", "topic"),
    [("", ()), ("campaign", ("campaign",)), ("step help", ("step",)), ("enroll help", ("enroll",))],
)
def test_help_is_asked_for_in_any_place(text: str, topic: tuple[str, ...]) -> None:
    assert LANGUAGE.parse(text) == HelpWanted(topic=topic)


@pytest.mark.parametrize(
    ("asked", "topic"),
    [
        ("", ()),
        ("campaign", ("campaign",)),
        ("Campaign New", ("campaign", "new")),
        ("/drip step add", ("step", "add")),
        ("enroll Welcome", ("enroll",)),
    ],
)
def test_help_finds_its_topic(asked: str, topic: tuple[str, ...]) -> None:
    assert LANGUAGE.topic(asked) == topic


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param("campain new A", 'did you mean "campaign new"?', id="a group"),
        pytest.param("campaign activte A", 'did you mean "campaign activate"?', id="a verb"),
        pytest.param("campaign xyzzy A", "one of new, list, show", id="nothing near"),
        pytest.param("new campaign A", 'did you mean "campaign new"?', id="the other way round"),
        pytest.param("pause Welcome", 'did you mean "campaign pause"?', id="a verb alone"),
        pytest.param("enrol A tag:b", 'did you mean "enroll"?', id="a short one"),
        pytest.param("xyzzy", "/drip help lists what there is", id="nothing like it"),
        pytest.param("campaign new", "The name is missing", id="an argument missing"),
        pytest.param("campaign new A B", "several words goes in quotes", id="unquoted"),
        pytest.param("campaign new A priorty=3", "did you mean priority=?", id="an option"),
        pytest.param("campaign new A colour=3", "its options are trigger=", id="none like it"),
        pytest.param("campaign new A priority=10", "from 1 to 9, not 10", id="too large"),
        pytest.param("campaign new A priority=", "and nothing is there", id="nothing given"),
        pytest.param("campaign new A mode=skipp", "did you mean skip?", id="a choice"),
        pytest.param("campaign new A rate=5", "like 5/s, 300/min or 500/h", id="a rate"),
        pytest.param("campaign new A hours=8-20", "08:00-20:00", id="hours"),
        pytest.param("campaign new A at=10:00", "no option at=", id="an option not built"),
        pytest.param("campaign new A mode=skip mode=skip", "there twice", id="twice"),
        pytest.param("campaign new A trigger=keywrd:x", "Did you mean keyword?", id="a trigger"),
        pytest.param("step add A after=2x text=b", "30m, 3h, 2d or 1w, not 2x", id="a span"),
        pytest.param("step add A after=1d text={{1}}", "text= will not do: ", id="a number"),
        pytest.param('step add A after=1d text="Hi {a"', "is not closed", id="an open brace"),
        pytest.param("step add A text=b", "needs after=", id="an option missing"),
        pytest.param("step add A after=1d", "exactly one of", id="none of three"),
        pytest.param("step add A after=1d text=a template=b", "exactly one of", id="two of three"),
        pytest.param("step add A after=1d text=a caption=b", "only with media=", id="out of place"),
        pytest.param("step add A after=1d text=a foo=1", "no option foo=", id="no template"),
        pytest.param("step add A after=1d media=http://a.b/x.pdf", "https://", id="http"),
        pytest.param("step add A after=1d media=1234567890", "https://", id="an id of a file"),
        pytest.param("contact add +31 email=ada", "ada@example.com", id="no address of mail"),
        pytest.param(
            f"contact add +31 name={'x' * 300}", "at most 256 characters", id="a long name"
        ),
        pytest.param("contact find a=b", "goes in quotes", id="an equals sign in text"),
        pytest.param('campaign show "A', "opened and not closed", id="an open quote"),
        pytest.param("status now", "leave it out", id="a word for nothing"),
    ],
)
def test_what_is_wrong_is_told_with_its_fix(text: str, sentence: str) -> None:
    wrong = LANGUAGE.parse(text)

    assert isinstance(wrong, NotUnderstood)
    assert sentence in wrong.sentence
    assert wrong.example.startswith("/drip ")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.spec.name)
def test_what_is_wrong_is_said_in_few_words_however_much_was_written(
    command: type[Command],
) -> None:
    much = "x" * 10_000
    wrong = [f"{command.spec.name} {much} a=1 {much}=1", f"{command.spec.path[0]} {much}"]
    wrong += [f"{command.spec.name} a b {each.name}={much}" for each in command.spec.options]

    for text in wrong:
        said = LANGUAGE.parse(text)
        assert not isinstance(said, NotUnderstood) or len(said.sentence) < 900, text[:60]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.spec.name)
def test_every_example_of_a_command_is_that_command(command: type[Command]) -> None:
    for example in examples(command.spec):
        assert type(LANGUAGE.parse(example)) is command or example == "/drip help"


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.spec.name)
def test_every_command_has_help(command: type[Command]) -> None:
    assert LANGUAGE.topic(command.spec.name) == command.spec.path
    assert LANGUAGE.parse(f"{command.spec.name} help") in (
        HelpWanted(topic=command.spec.path),
        Help(command="help"),
    )


def test_the_reference_is_what_the_declarations_say() -> None:
    """To write it anew, write what reference(LANGUAGE) returns to docs/commands.md."""
    assert _REFERENCE.read_text() == reference(LANGUAGE)
