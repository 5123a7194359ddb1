"""``statuses[]``: how far our messages got. The hottest path of the webhook."""

import re
from typing import Final

from bot.whatsapp.parsing import Piece, error, flag, instant, members, nested, person, text
from engine.ids import MessageId, NumberId
from engine.updates import (
    CallbackRef,
    Pricing,
    ReportedError,
    ReportedStatus,
    StatusReport,
)

_STATUSES: Final = {status.value: status for status in ReportedStatus}
_CALLBACK: Final = re.compile(r"d:([0-9]{1,19}):([0-9]{1,9})", re.ASCII)
_LAST_ID: Final = 2**63 - 1  # a bigint's


def status(piece: Piece, *, waba_id: str, number_id: NumberId) -> StatusReport | None:
    """Return one status; None only when it does not say which message it is about."""
    wamid = text(piece, "id")
    if wamid is None:
        return None
    reached = piece.get("status")
    return StatusReport(
        waba_id=waba_id,
        number_id=number_id,
        wamid=wamid,
        status=_STATUSES.get(reached, ReportedStatus.UNKNOWN)
        if isinstance(reached, str)
        else ReportedStatus.UNKNOWN,
        at=instant(piece, "timestamp"),
        callback=callback(text(piece, "biz_opaque_callback_data")),
        # In a group the recipient is the group, and the participant is who got it.
        recipient=person(
            text(piece, "recipient_participant_id") or text(piece, "recipient_id"),
            text(piece, "recipient_user_id"),
            text(piece, "recipient_parent_user_id"),
        ),
        error=_first_error(piece) if "errors" in piece else None,
        pricing=_pricing(piece) if "pricing" in piece else None,
    )


def callback(data: str | None) -> CallbackRef | None:
    """Return our mark on the call; None for what is not of our making.

    >>> callback("d:17:2")
    CallbackRef(message_id=17, attempt=2)
    """
    if data is None or (match := _CALLBACK.fullmatch(data)) is None:
        return None
    message_id = int(match[1])
    if message_id > _LAST_ID:
        return None
    return CallbackRef(message_id=MessageId(message_id), attempt=int(match[2]))


def _first_error(piece: Piece) -> ReportedError | None:
    return next(filter(None, map(error, members(piece, "errors"))), None)


def _pricing(piece: Piece) -> Pricing | None:
    pricing = nested(piece, "pricing")
    if not pricing:
        return None
    return Pricing(
        category=text(pricing, "category"),
        type=text(pricing, "type"),
        billable=flag(pricing, "billable"),
    )
