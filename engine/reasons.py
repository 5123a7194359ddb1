"""Why a message was left out, cancelled or given up: a closed set with a sentence for each."""

from enum import StrEnum


class Reason(StrEnum):
    OPTED_OUT = "opted_out"
    PLATFORM_STOPPED = "platform_stopped"
    BLOCKED = "blocked"
    UNREACHABLE = "unreachable"
    ERASED = "erased"
    NO_ADDRESS = "no_address"
    COUNTRY_BANNED = "country_banned"
    IN_ANOTHER = "in_another"
    COOLDOWN = "cooldown"
    FREQUENCY_CAP = "frequency_cap"
    EXPIRED = "expired"
    RESTORED = "restored"
    WINDOW_CLOSED = "window_closed"
    MISSING_VALUE = "missing_value"
    CONDITION = "condition"
    NO_DATE = "no_date"
    DATE_PASSED = "date_passed"
    ENROLLMENT_ENDED = "enrollment_ended"
    CAMPAIGN_ENDED = "campaign_ended"
    STEP_REMOVED = "step_removed"
    PUT_ELSEWHERE = "put_elsewhere"
    MERGED = "merged"
    TEMPLATE_UNUSABLE = "template_unusable"
    UNANSWERED = "unanswered"
    FAILED = "failed"

    @property
    def sentence(self) -> str:
        return _SENTENCES[self]


_SENTENCES = {
    Reason.OPTED_OUT: "said STOP",
    Reason.PLATFORM_STOPPED: "stopped marketing messages in WhatsApp",
    Reason.BLOCKED: "blocked by staff",
    Reason.UNREACHABLE: "not reachable on WhatsApp",
    Reason.ERASED: "was erased",
    Reason.NO_ADDRESS: "has no number or WhatsApp id",
    Reason.COUNTRY_BANNED: "of a country that WhatsApp does not let the account write to",
    Reason.IN_ANOTHER: "is in another campaign",
    Reason.COOLDOWN: "had another promotional message within the cooldown",
    Reason.FREQUENCY_CAP: "had as many promotional messages as the frequency cap allows",
    Reason.EXPIRED: "the deadline had passed before it could be sent",
    Reason.RESTORED: "was due before the database was restored, and may have been sent then",
    Reason.WINDOW_CLOSED: "did not write within 24 hours, so only a template may be sent",
    Reason.MISSING_VALUE: "has no value for a token without a fallback",
    Reason.CONDITION: "the step's condition did not hold",
    Reason.NO_DATE: "has no date in the attribute the step counts from",
    Reason.DATE_PASSED: "the date the step counts from had passed",
    Reason.ENROLLMENT_ENDED: "left the campaign before",
    Reason.CAMPAIGN_ENDED: "the campaign was cancelled or archived",
    Reason.STEP_REMOVED: "the step was removed",
    Reason.PUT_ELSEWHERE: "was put before another step by staff",
    Reason.MERGED: "is the same person as another contact",
    Reason.TEMPLATE_UNUSABLE: "the template does not fit or is not approved",
    Reason.UNANSWERED: "WhatsApp never said whether it got the message",
    Reason.FAILED: "WhatsApp refused the message",
}


def is_limit(why: str | None) -> bool:
    """Whether a tap is closed for a limit: it opens by itself, and nobody can open it sooner."""
    return why in _TAPS


def tap_sentence(why: str | None) -> str:
    """Return why a tap is closed in words; what the platform or staff said stays as it is.

    >>> tap_sentence("per_day")
    'it has written to as many contacts today as per_day allows'
    """
    return _TAPS.get(why or "", why or "nobody noted why")


_TAPS = {
    "per_day": "it has written to as many contacts today as per_day allows",
    "contacts_per_day": "as many contacts got a campaign message today as contacts_per_day allows",
    "messaging_limit": "as many people were written to within 24 hours as WhatsApp's messaging"
    " limit allows",
    "messages_per_hour": "as many messages went out this hour as messages_per_hour allows",
}
