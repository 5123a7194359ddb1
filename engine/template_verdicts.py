"""Why WhatsApp rejects templates, in words, and what to change.

Source: Meta, "Template status update webhook" (``reason``) and "Template review".
"""

from typing import Final

_ADVICE: Final = {
    "ABUSIVE_CONTENT": "Its text was found abusive or threatening: write it anew, politely.",
    "INVALID_FORMAT": "Its form is not allowed: put words around every variable, and samples that"
    " look like what contacts will read.",
    "PROMOTIONAL": "It promotes something and was submitted as utility: draft it with"
    " category=marketing.",
    "INCORRECT_CATEGORY": "Its category does not fit its text: draft it with the other category.",
    "TAG_CONTENT_MISMATCH": "Its language or category does not fit its text: check language= and"
    " category=.",
    "SCAM": "It was taken for a scam: name your business, and link only to your own site.",
    "SPAM": "It was taken for spam: say why the contact hears from you.",
    "NONE": "",
}
_UNKNOWN: Final = "Compare it with WhatsApp's commerce and business policies, and change its text."


def what_to_change(reason: str | None, advice: str | None) -> str:
    """Return what would help after a rejection, a sentence or two.

    Args:
        reason: Meta's word (``INVALID_FORMAT``); None: it named none.
        advice: Meta's own recommendation, which comes first.
    """
    known = _ADVICE.get(reason or "", _UNKNOWN) or _UNKNOWN
    return f"{advice} {known}" if advice and advice not in known else known
