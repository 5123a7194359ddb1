"""WhatsApp's error codes as data: what each means, what staff can do, and what we do by ourselves.

Source: Meta, "Error codes" (September 2026); what we do about each is our choice.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum, StrEnum
from typing import Final

_SECOND: Final = timedelta(seconds=1)
_MINUTE: Final = timedelta(minutes=1)
_HOUR: Final = timedelta(hours=1)

FILE_NOT_TAKEN: Final = 131053
COUNTRY_BANNED: Final = 130497

RETRIES: Final = (_MINUTE, 2 * _MINUTE, 4 * _MINUTE)
"""After the first, second and third try, unless a code says otherwise."""


class Action(Enum):
    """RETRY counts the try, DEFER does not: the message is sent again in both."""

    RETRY = "retry"
    DEFER = "defer"
    GIVE_UP = "give up"


class Scope(StrEnum):
    """Whose tap closes; an account is all its numbers."""

    CAMPAIGN = "campaign"
    NUMBER = "number"
    ACCOUNT = "account"


class Suppression(StrEnum):
    """Why a contact gets no more of our messages.

    ``UNREACHABLE`` until the contact writes, ``MARKETING_STOPPED`` (promotional messages only)
    until WhatsApp reports ``resume``, ``BLOCKED`` until staff unblock the contact.
    """

    UNREACHABLE = "unreachable"
    MARKETING_STOPPED = "marketing_stopped"
    BLOCKED = "blocked"


class Tell(Enum):
    """When staff hear of it."""

    NEVER = "never"
    GIVEN_UP = "given up"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One error code.

    Attributes:
        code: None for an answer that names none.
        meaning: For staff: what happened, and what to do about it where something can be done.
        delays: RETRY: after each try, so their number is that of the retries. DEFER: after each
            deferral in a row, the last one for all further ones.
        suppresses: The contact, once ``hits`` messages ended by it.
        stops: Whose tap to close, for ``closed_for`` (None: until staff open it); with
            ``if_repeated`` only when a campaign's messages keep meeting it.
        slows_down: The number's rate is too high; its lane starts fewer calls for a while.
        closes_window: The service window is closed, whatever our own clock says.
        bans_country: All of the recipient's country would meet it.
    """

    code: int | None
    meaning: str
    action: Action
    delays: tuple[timedelta, ...] = ()
    suppresses: Suppression | None = None
    hits: int = 1
    stops: Scope | None = None
    closed_for: timedelta | None = None
    if_repeated: bool = False
    slows_down: bool = False
    closes_window: bool = False
    bans_country: bool = False
    tell: Tell = Tell.NEVER


def failure(code: int | None) -> Failure:
    """Return what is known of *code*; one we have never heard of is retried a little, then told."""
    if code is None:
        return _UNNAMED
    known = FAILURES.get(code)
    if known is not None:
        return known
    if code in _PERMISSIONS:
        return replace(FAILURES[_PERMISSION], code=code)
    return Failure(
        code=code,
        meaning=f"WhatsApp reports an error we do not know ({code}); its own words may say more.",
        action=Action.RETRY,
        delays=RETRIES,
        tell=Tell.GIVEN_UP,
    )


def _retry(code: int, meaning: str, *delays: timedelta) -> Failure:
    return Failure(
        code=code,
        meaning=meaning,
        action=Action.RETRY,
        delays=delays or RETRIES,
        tell=Tell.GIVEN_UP,
    )


def _defer(
    code: int,
    meaning: str,
    *delays: timedelta,
    stops: Scope | None = None,
    slows_down: bool = False,
    tell: Tell = Tell.NEVER,
) -> Failure:
    """Return a failure that passes; the tap, if one closes, opens again when the wait is over."""
    return Failure(
        code=code,
        meaning=meaning,
        action=Action.DEFER,
        delays=delays,
        stops=stops,
        closed_for=delays[0] if stops else None,
        slows_down=slows_down,
        tell=tell,
    )


def _blocked(code: int, scope: Scope, meaning: str) -> Failure:
    """Return a failure of the whole number or account: nothing is lost, staff must act."""
    return Failure(
        code=code,
        meaning=meaning,
        action=Action.DEFER,
        delays=(_MINUTE,),  # the tap is closed; when it opens, the message goes at once
        stops=scope,
        tell=Tell.ALWAYS,
    )


def _campaign(code: int, meaning: str) -> Failure:
    """Return a failure that every message of the campaign would meet."""
    return Failure(
        code=code,
        meaning=meaning,
        action=Action.GIVE_UP,
        stops=Scope.CAMPAIGN,
        tell=Tell.ALWAYS,
    )


def _never(
    code: int, meaning: str, *, tell: Tell = Tell.NEVER, if_repeated: bool = False
) -> Failure:
    """Return a failure of this one message; repeated ones may be the campaign's fault."""
    return Failure(
        code=code,
        meaning=meaning,
        action=Action.GIVE_UP,
        stops=Scope.CAMPAIGN if if_repeated else None,
        if_repeated=if_repeated,
        tell=tell,
    )


def _contact(code: int, meaning: str, suppresses: Suppression, *, hits: int = 1) -> Failure:
    return Failure(
        code=code, meaning=meaning, action=Action.GIVE_UP, suppresses=suppresses, hits=hits
    )


_UNNAMED: Final = Failure(
    code=None,
    meaning="The platform refused the call without saying why; check graph_url and the network "
    "between us and it.",
    action=Action.RETRY,
    delays=RETRIES,
    tell=Tell.GIVEN_UP,
)
_PERMISSION: Final = 200
_PERMISSIONS: Final = range(200, 300)

_LOGGED_OUT: Final = (
    "WhatsApp does not accept our access token; put a valid one in access_token, restart, resume."
)
_MAINTENANCE: Final = "The number is under maintenance or being upgraded; we go on by ourselves."
_SETUP: Final = "The number's registration or PIN has a problem; settle it in WhatsApp Manager."
_RESYNC: Final = (
    "The values do not fit the template as it is now; run template sync and compare the step with "
    "template show."
)

FAILURES: Final[dict[int, Failure]] = {
    known.code: known
    for known in (
        # Access, configuration and the account: the queue is kept.
        _blocked(0, Scope.ACCOUNT, _LOGGED_OUT),
        _blocked(104, Scope.ACCOUNT, _LOGGED_OUT),
        _blocked(190, Scope.ACCOUNT, _LOGGED_OUT),
        _blocked(
            3,
            Scope.ACCOUNT,
            "The app lacks a capability or permission; check it in the Meta app's settings.",
        ),
        _blocked(
            10,
            Scope.ACCOUNT,
            "The access token lacks a permission; it needs whatsapp_business_messaging and "
            "whatsapp_business_management.",
        ),
        _blocked(
            _PERMISSION,
            Scope.ACCOUNT,
            "The access token is missing or lacks a permission; it needs "
            "whatsapp_business_messaging and whatsapp_business_management.",
        ),
        _blocked(
            33,
            Scope.NUMBER,
            "WhatsApp does not know this number id; check numbers in the configuration.",
        ),
        _blocked(
            368,
            Scope.ACCOUNT,
            "The WhatsApp account is restricted or disabled for violating a policy; see Account "
            "quality in Meta Business Suite.",
        ),
        _blocked(
            131005,
            Scope.ACCOUNT,
            "Access was denied; check the access token and who the account is shared with.",
        ),
        _blocked(
            131031,
            Scope.ACCOUNT,
            "The WhatsApp account is locked, for a policy or a wrong PIN; see Account quality in "
            "Meta Business Suite.",
        ),
        _blocked(
            131042,
            Scope.ACCOUNT,
            "There is a problem with the payment method or the account's eligibility; settle it "
            "in Meta's billing settings.",
        ),
        _blocked(
            131044,
            Scope.ACCOUNT,
            "There is a problem with the payment method; settle it in Meta's billing settings.",
        ),
        _blocked(
            134011,
            Scope.ACCOUNT,
            "WhatsApp's payment terms are not accepted; accept them in WhatsApp Manager.",
        ),
        _blocked(
            131064,
            Scope.ACCOUNT,
            "Templates are held because of a wrong category; Meta lifts this by itself, see "
            "WhatsApp Manager for when.",
        ),
        _blocked(
            131037,
            Scope.NUMBER,
            "The number's display name is not approved; ask for approval in WhatsApp Manager.",
        ),
        _blocked(
            131045,
            Scope.NUMBER,
            "The number's registration or certificate has a problem; register the number again.",
        ),
        _blocked(
            133010, Scope.NUMBER, "The number is not registered; register it in WhatsApp Manager."
        ),
        # Too fast, or not now: the message waits and nothing is burnt.
        _defer(
            4,
            "The app made too many calls; we go on when Meta allows it.",
            5 * _MINUTE,
            15 * _MINUTE,
            stops=Scope.ACCOUNT,
        ),
        _defer(
            80007,
            "The account made too many management calls; we go on when Meta allows it.",
            5 * _MINUTE,
            15 * _MINUTE,
            _HOUR,
        ),
        _defer(
            130429,
            "The number sends faster than WhatsApp allows; we slow down.",
            *(2**x * _SECOND for x in range(7)),
            slows_down=True,
        ),
        _defer(
            131056,
            "Too many messages to this one person in a short time; we wait.",
            # Meta's advice: 4^X seconds, X = 0, 1, 2 …
            *(4**x * _SECOND for x in range(6)),
        ),
        _defer(131057, _MAINTENANCE, _MINUTE, 2 * _MINUTE, 5 * _MINUTE, stops=Scope.NUMBER),
        _defer(2494100, _MAINTENANCE, _MINUTE, 2 * _MINUTE, 5 * _MINUTE, stops=Scope.NUMBER),
        _defer(
            131048,
            "WhatsApp limits this number because people blocked or reported it; write to fewer "
            "people who did not ask for it.",
            6 * _HOUR,
            stops=Scope.NUMBER,
            tell=Tell.ALWAYS,
        ),
        _defer(
            134101,
            "The template is new or idle and still being prepared for sending; we wait.",
            10 * _MINUTE,
        ),
        # The platform stumbles.
        _retry(1, "WhatsApp could not handle the call."),
        _retry(
            2,
            "WhatsApp was down or overloaded.",
            5 * _MINUTE,
            10 * _MINUTE,
            20 * _MINUTE,
        ),
        _retry(131000, "WhatsApp failed for a reason it does not know."),
        _retry(131016, "WhatsApp's service was unavailable."),
        _retry(133004, "WhatsApp's server was unavailable."),
        _retry(135000, "WhatsApp did not accept the message's parameters.", _MINUTE),
        _retry(139102, "The list of blocked people changed meanwhile."),
        _retry(139103, "WhatsApp could not change the list of blocked people."),
        replace(
            _retry(
                131049,
                "WhatsApp held the message back to keep people from getting too much marketing; "
                "this person may get a later one.",
                # Sooner than 24 h earns the person another 24 h of silence.
                25 * _HOUR,
                25 * _HOUR,
            ),
            tell=Tell.NEVER,
        ),
        # This person.
        _contact(
            131026,
            "The message cannot be delivered: the number is not on WhatsApp, or its app is old or "
            "its terms are not accepted; WhatsApp never says which.",
            Suppression.UNREACHABLE,
            hits=2,
        ),
        _contact(131021, "The recipient is the sending number itself.", Suppression.UNREACHABLE),
        _contact(
            131050,
            "This person stopped marketing messages from you in WhatsApp.",
            Suppression.MARKETING_STOPPED,
        ),
        _contact(
            130403,
            "This person is blocked by you; unblock them in WhatsApp to write to them.",
            Suppression.BLOCKED,
        ),
        _never(
            130472,
            "This person is in an experiment of Meta's and gets no marketing message; nothing is "
            "wrong with the contact.",
        ),
        replace(
            _never(
                131047,
                "This person wrote more than 24 hours ago, so only a template may be sent.",
            ),
            closes_window=True,
        ),
        replace(
            _never(
                COUNTRY_BANNED,
                "WhatsApp does not let your account write to this country.",
                tell=Tell.ALWAYS,
            ),
            bans_country=True,
        ),
        _never(
            131030,
            "The number is a test number and the recipient is not on its list; add them in the "
            "Meta app.",
            tell=Tell.ALWAYS,
        ),
        _never(
            131062,
            "This message can only be sent to a phone number, and WhatsApp hides this person's.",
        ),
        _never(137000, "The recipient's identity key changed."),
        # This message, or what made it.
        _never(
            100,
            "A parameter of the message is wrong or too long; check the step's text and values.",
            if_repeated=True,
        ),
        _never(
            131008,
            "A parameter of the message is missing; check the step's values.",
            if_repeated=True,
        ),
        _never(
            131009,
            "A parameter of the message is not valid; check the step's values.",
            if_repeated=True,
        ),
        _never(
            131051,
            "WhatsApp does not support this type of message; please report it to us.",
            tell=Tell.ALWAYS,
        ),
        _never(
            131052,
            "WhatsApp could not fetch a file that somebody sent; ask them to send it again.",
            tell=Tell.ALWAYS,
        ),
        _never(
            132005,
            "With its values filled in the template's text is too long; shorten the values.",
            if_repeated=True,
        ),
        _never(132008, "A value of the template is not valid.", if_repeated=True),
        _campaign(
            FILE_NOT_TAKEN,
            "WhatsApp could not take the file; check that its link opens, its type and its size.",
        ),
        _campaign(132000, f"The number of values is wrong. {_RESYNC}"),
        _campaign(132012, f"A value has the wrong form. {_RESYNC}"),
        _campaign(132018, f"A value was not accepted. {_RESYNC}"),
        _campaign(
            132001,
            "The template does not exist in this language or is not approved; run template sync "
            "and see template list.",
        ),
        _campaign(
            132007, "The template's content violates WhatsApp's policy; change the template."
        ),
        _campaign(
            132015,
            "WhatsApp paused the template for its quality; wait until it is approved again, or "
            "use another one.",
        ),
        _campaign(
            132016,
            "WhatsApp disabled the template for good; use another one.",
        ),
        _campaign(132068, "The template's flow is blocked; see it in WhatsApp Manager."),
        _campaign(132069, "The template's flow is throttled; see it in WhatsApp Manager."),
        _campaign(
            131055,
            "WhatsApp does not accept the template here; run template sync, its category may have "
            "changed.",
        ),
        _campaign(
            131061,
            "The template has a maximum price and cannot be sent this way; use another one.",
        ),
        _campaign(
            131063,
            "Marketing templates are switched off for your account's Cloud API; switch them on in "
            "WhatsApp Manager.",
        ),
        _campaign(134100, "Only a marketing template can be sent this way; run template sync."),
        _campaign(134102, "The account may not use marketing messages of this kind."),
        # Setting up, managing.
        *(
            _never(code, _SETUP, tell=Tell.ALWAYS)
            for code in (133000, 133005, 133006, 133008, 133009, 133015, 133016)
        ),
        _never(139100, "Some people could not be blocked or unblocked.", tell=Tell.ALWAYS),
        _never(139101, "The list of blocked people is full (64,000).", tell=Tell.ALWAYS),
        _never(139200, "The message may not be sent without a template.", tell=Tell.ALWAYS),
        *(
            _never(code, "Meta has no statistics of this template.")
            for code in (200005, 200006, 200007)
        ),
        _never(2388019, "The account has as many templates as it may have.", tell=Tell.ALWAYS),
        *(
            _never(code, "Meta did not accept the template as written.", tell=Tell.ALWAYS)
            for code in (2388039, 2388040, 2388047, 2388072, 2388073, 2388293, 2388299)
        ),
        *(
            _never(code, "The message may not be sent without a template.", tell=Tell.ALWAYS)
            for code in (2388318, 2388330)
        ),
    )
    if known.code is not None
}
"""Every code the platform documents, by code."""
