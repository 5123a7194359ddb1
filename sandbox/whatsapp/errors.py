"""Errors of the Cloud API as it words them.

Source: Meta, WhatsApp Business Platform, "Error codes".
"""

from sandbox.wire import Json

HREF = (
    "https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes"
)

# code: (HTTP status, title)
_KNOWN: dict[int, tuple[int, str]] = {
    0: (401, "AuthException"),
    1: (400, "API Unknown"),
    2: (503, "API Service"),
    3: (500, "API Method"),
    4: (400, "API Too Many Calls"),
    10: (403, "Permission Denied"),
    33: (400, "Parameter value is not valid"),
    100: (400, "Invalid parameter"),
    104: (401, "An access token is required"),
    190: (401, "Invalid OAuth access token"),
    200: (403, "API Permission"),
    368: (403, "Temporarily blocked for policies violations"),
    80007: (400, "Rate limit issues"),
    130403: (400, "User is blocked by the business"),
    130429: (429, "Rate limit hit"),
    130472: (400, "User's number is part of an experiment"),
    130497: (403, "Business account is restricted from messaging users in this country"),
    131000: (500, "Something went wrong"),
    131005: (403, "Access denied"),
    131008: (400, "Required parameter is missing"),
    131009: (400, "Parameter value is not valid"),
    131016: (500, "Service unavailable"),
    131021: (400, "Recipient cannot be sender"),
    131026: (400, "Message undeliverable"),
    131031: (403, "Account has been locked"),
    131042: (400, "Business eligibility payment issue"),
    131045: (500, "Incorrect certificate"),
    131047: (400, "Re-engagement message"),
    131048: (400, "Spam rate limit hit"),
    131049: (400, "Meta chose not to deliver"),
    131050: (400, "User has stopped marketing messages from this business"),
    131051: (400, "Unsupported message type"),
    131052: (400, "Media download error"),
    131053: (400, "Media upload error"),
    131055: (400, "Method not allowed"),
    131056: (429, "(Business Account, Consumer Account) pair rate limit hit"),
    131057: (500, "Account in maintenance mode"),
    131063: (400, "Marketing messages are disabled on Cloud API"),
    131064: (400, "Messaging limited for template misclassification"),
    132000: (400, "Number of parameters does not match the expected number of params"),
    132001: (404, "Template name does not exist in the translation"),
    132005: (400, "Translated text too long"),
    132007: (400, "Template content policy violated"),
    132008: (400, "Parameter value is not valid"),
    132012: (400, "Parameter format does not match format in the created template"),
    132015: (400, "Template is paused"),
    132016: (400, "Template is disabled"),
    132018: (400, "There is an issue with the parameters in your template"),
    133004: (503, "Server temporarily unavailable"),
    133010: (400, "Phone number not registered"),
    135000: (400, "Generic user error"),
    2494100: (400, "Phone number in maintenance"),
}

# These a sender learns from a status "failed" after the call was accepted.
BY_WEBHOOK = frozenset({130472, 131026, 131049, 131050})


class GraphRefusal(Exception):
    """The platform does not do what was asked."""

    def __init__(self, code: int, details: str, *, subcode: int | None = None) -> None:
        super().__init__(f"{code}: {details}")
        self.code = code
        self.subcode = subcode  # of what is no message: the words are for the user then
        self.details = details
        self.status, self.title = _KNOWN.get(code, (400, "Unknown error"))

    def body(self, trace: str) -> Json:
        """The answer's body; *trace* is what support asks for."""
        if self.subcode is not None:
            return {
                "error": {
                    "message": self.title,
                    "type": "OAuthException",
                    "code": self.code,
                    "error_subcode": self.subcode,
                    "is_transient": False,
                    "error_user_title": self.title,
                    "error_user_msg": self.details,
                    "fbtrace_id": trace,
                }
            }
        return {
            "error": {
                "message": f"(#{self.code}) {self.title}",
                "type": "OAuthException",
                "code": self.code,
                "error_data": {"messaging_product": "whatsapp", "details": self.details},
                "fbtrace_id": trace,
            }
        }


def reported(code: int) -> Json:
    """The error of a status "failed"."""
    title = _KNOWN.get(code, (400, "Unknown error"))[1]
    return {
        "code": code,
        "title": title,
        "message": title,
        "error_data": {"details": f"{title}."},
        "href": HREF,
    }
