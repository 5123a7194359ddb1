"""The demo organization: what exists on the pretend platforms at the first start."""

from collections.abc import Iterable

from sandbox.settings import Channel, Number, User
from sandbox.wire import Json

ORGANIZATION = "demo"
APP_SECRET = "demo-app-secret"  # noqa: S105 — the pretence keeps nothing worth stealing
VERIFY_TOKEN = "demo-verify-token"  # noqa: S105 — as above
ACCESS_TOKEN = "demo-access-token"  # noqa: S105 — as above
BUSINESS_ACCOUNT_ID = "100000000000001"
SLACK_SIGNING_SECRET = "demo-signing-secret"  # noqa: S105 — as above
SLACK_BOT_TOKEN = "xoxb-demo-bot-token"  # noqa: S105 — as above
SLACK_TEAM_ID = "T0DEMO"
TIMEZONE = "Europe/Amsterdam"
COUNTRY = "NL"
ALERTS_CHANNEL = "C0ALERTS"
INBOX_CHANNEL = "C0INBOX"

NUMBERS = (Number(id="200000000000001", phone="+15550001111", messages_per_second=80),)
USERS = (
    User(id="U0OWNER", name="Olivia Owner", role="owner", timezone=TIMEZONE),
    User(id="U0OWNER2", name="Otto Owner", role="owner", timezone=TIMEZONE),
    User(id="U0SUPER", name="Sara Super", role="supervisor", timezone=TIMEZONE),
    User(id="U0AGENT", name="Abel Agent", role="agent", timezone=TIMEZONE),
    User(id="U0STRANGER", name="Stan Stranger", role="stranger", timezone=TIMEZONE),
)
CHANNELS = (
    Channel(id=ALERTS_CHANNEL, name="drip-alerts"),
    Channel(id=INBOX_CHANNEL, name="drip-inbox"),
)
CONTACTS = tuple(f"+316{10_000_000 + number:08}" for number in range(1, 201))
CONTACTS_TAG = "demo"


def with_more(written: Iterable[str]) -> tuple[Number, ...]:
    """Return the demo's number and further ones, written as ``+15550002222=1000``."""
    more = [each.split("=") for each in written]
    return (
        *NUMBERS,
        *(
            Number(id=str(int(NUMBERS[0].id) + place), phone=phone, messages_per_second=int(rate))
            for place, (phone, rate) in enumerate(more, start=1)
        ),
    )


def _template(name: str, category: str, *components: Json, named: bool = False) -> Json:
    return {
        "name": name,
        "language": "en",
        "category": category,
        "status": "APPROVED",
        "parameter_format": "NAMED" if named else "POSITIONAL",
        "components": list(components),
    }


def _body(text: str, *examples: str) -> Json:
    body: Json = {"type": "BODY", "text": text}
    if examples:
        body["example"] = {"body_text": [list(examples)]}
    return body


TEMPLATES: tuple[Json, ...] = (
    _template(
        "welcome",
        "MARKETING",
        {
            "type": "BODY",
            "text": "Hi {{first_name}}, welcome! Good to have you with us.",
            "example": {"body_text_named_params": [{"param_name": "first_name", "example": "Ada"}]},
        },
        {"type": "FOOTER", "text": "Reply STOP to opt out"},
        named=True,
    ),
    _template(
        "followup",
        "MARKETING",
        _body("Have you had a chance to look around? We are happy to help."),
        {"type": "FOOTER", "text": "Reply STOP to opt out"},
    ),
    _template(
        "offer",
        "MARKETING",
        _body("Hi {{1}}, here is {{2}} off your next order, this week only.", "Ada", "10%"),
        {
            "type": "BUTTONS",
            "buttons": [
                {
                    "type": "URL",
                    "text": "See the offer",
                    "url": "https://shop.example/offers/{{1}}",
                    "example": ["https://shop.example/offers/spring"],
                }
            ],
        },
    ),
    _template(
        "receipt",
        "UTILITY",
        _body("We have received your payment {{1}} for order {{2}}. Thank you!", "€ 20", "1001"),
    ),
    _template(
        "announcement",
        "MARKETING",
        {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["4::aW1hZ2U="]}},
        _body("Something new has arrived. Have a look!"),
    ),
    _template(
        "feedback",
        "MARKETING",
        _body("How did we do? One tap is enough."),
        {
            "type": "BUTTONS",
            "buttons": [{"type": "QUICK_REPLY", "text": text} for text in ("Good", "Bad", "Stop")],
        },
    ),
)
