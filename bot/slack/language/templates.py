"""Templates, as WhatsApp approved them."""

from bot.slack import kinds
from bot.slack.declare import Command, argument, declare, free, option, several
from bot.slack.kinds import Off
from engine.roles import Role
from engine.template_draft import DraftButton
from engine.templates import Category


@declare(
    "template sync",
    role=Role.OWNER,
    about="Fetch the templates from WhatsApp now; it happens by itself too.",
    examples=("",),
)
class TemplateSync(Command):
    pass


@declare(
    "template list",
    role=Role.SUPERVISOR,
    about="List templates with their language, category and status.",
    examples=("",),
)
class TemplateList(Command):
    pass


@declare(
    "template show",
    role=Role.SUPERVISOR,
    about="Show a template and the parameters it wants.",
    examples=("welcome", "welcome language=nl"),
)
class TemplateShow(Command):
    template: str = argument(kinds.LINE, about="Its name.", rest=True)
    language: str | None = option(
        kinds.LANGUAGE, about="One of its languages.", default=None, otherwise="all"
    )


@declare(
    "template preview",
    role=Role.SUPERVISOR,
    about="Show exactly what a contact would read.",
    examples=(
        "welcome +31612345678",
        "welcome +31612345678 first_name={first_name|there}",
        "offer 1=Ada 2=10% url=spring",
    ),
)
class TemplatePreview(Command):
    template: str = argument(kinds.LINE, about="Its name.")
    contact: str | None = argument(
        kinds.PHONE, about="A contact, by phone or name.", default=None, rest=True
    )
    language: str | None = option(
        kinds.LANGUAGE, about="One of its languages.", default=None, otherwise="its only one"
    )
    parameters: tuple[tuple[str, str], ...] = free(
        shape="param", about="Its parameters, as in a step; tokens are filled in.", default=()
    )


@declare(
    "template test",
    role=Role.OWNER,
    about="Send a template to one contact now, outside of any campaign.",
    examples=("followup +31612345678", "welcome +31612345678 first_name={first_name|there}"),
)
class TemplateTest(Command):
    template: str = argument(kinds.LINE, about="Its name; it must be approved.")
    phone: str = argument(kinds.PHONE, about="A contact, such as yourself.")
    language: str | None = option(
        kinds.LANGUAGE, about="One of its languages.", default=None, otherwise="its only one"
    )
    parameters: tuple[tuple[str, str], ...] = free(
        shape="param", about="Its parameters, as in a step; tokens are filled in.", default=()
    )


@declare(
    "template draft",
    role=Role.OWNER,
    about="Draft a template, or change one; what is not given stays as it was.",
    examples=(
        'spring category=marketing body="Hi {{first_name}}, our sale has begun." first_name=Ada',
        'spring header="Sale!" button="Stop" button="See|https://shop.example/{{1}}" url=spring',
        "spring header=media:poster",
        "spring header=off",
    ),
)
class TemplateDraft(Command):
    name: str = argument(kinds.DRAFT_NAME, about="Its name: small letters, digits and _.")
    language: str | None = option(
        kinds.LANGUAGE, about="Its language.", default=None, otherwise="the draft's only one, or en"
    )
    category: Category | None = option(
        kinds.CATEGORY,
        about="What it is for; WhatsApp charges by it.",
        default=None,
        otherwise="as before",
    )
    header: str | Off | None = option(
        kinds.BODY_OR_OFF,
        about="A line above the text, with one variable at most; or media:<name>, a file of the"
        " media library, as a sample of what each message will bring.",
        default=None,
        otherwise="as before",
    )
    body: str | None = option(
        kinds.BODY,
        about="The text, with variables like {{first_name}} or {{1}}.",
        default=None,
        otherwise="as before",
    )
    footer: str | Off | None = option(
        kinds.BODY_OR_OFF, about="A line below it.", default=None, otherwise="as before"
    )
    buttons: tuple[DraftButton | Off, ...] = several(
        kinds.BUTTON,
        name="button",
        about="A quick reply, a link or a number to call; give it once for each. All replace those"
        " there were.",
        default=(),
        otherwise="as before",
    )
    samples: tuple[tuple[str, str], ...] = free(
        shape="variable",
        about="A sample for each variable, which WhatsApp's reviewers read: first_name=Ada, 1=Ada;"
        " url= for the end of a link, header_sample= for a numbered header.",
        default=(),
    )

    def objection(self) -> str | None:
        if Off.OFF in self.buttons and len(self.buttons) > 1:
            return "button=off takes all buttons away; leave it out, or the others."
        return None


@declare(
    "template submit",
    role=Role.OWNER,
    about="Send a draft to WhatsApp for review; you are told what becomes of it.",
    examples=("spring", "spring language=nl"),
)
class TemplateSubmit(Command):
    name: str = argument(kinds.DRAFT_NAME, about="The draft's name.")
    language: str | None = option(
        kinds.LANGUAGE, about="One of its languages.", default=None, otherwise="its only one"
    )


@declare(
    "template discard",
    role=Role.OWNER,
    about="Throw a draft away; what WhatsApp has of it stays.",
    examples=("spring", "spring language=nl"),
)
class TemplateDiscard(Command):
    name: str = argument(kinds.DRAFT_NAME, about="The draft's name.")
    language: str | None = option(
        kinds.LANGUAGE, about="One of its languages.", default=None, otherwise="its only one"
    )


COMMANDS = (
    TemplateSync,
    TemplateList,
    TemplateShow,
    TemplatePreview,
    TemplateTest,
    TemplateDraft,
    TemplateSubmit,
    TemplateDiscard,
)
