"""The whole list of a simulation, as a file that no spreadsheet takes for formulas."""

import io
import zipfile
from collections.abc import Iterator, Mapping
from typing import Final

from engine.ids import ContactId
from engine.simulated import Tally
from engine.spreadsheet_safe import lines
from storage.contacts import ListedContact

_HEADINGS: Final = ("phone", "name", "step", "day", "time", "outcome", "reason")
_ZIPPED_ABOVE: Final = 5 * 1024 * 1024  # bytes


def listed_file(
    tally: Tally,
    names: Mapping[ContactId, ListedContact],
    *,
    campaign: str,
    steps: Mapping[int, str],
) -> tuple[str, str, bytes]:
    """Return name, media type and content: one line for each contact and step, by time.

    Times are of the organization's zone. A large one comes as a zip archive.
    """
    content = lines((_HEADINGS, *_rows(tally, names, steps))).encode("utf-8-sig")
    plain = "".join(c if c.isalnum() else "-" for c in campaign.lower())[:60].strip("-")
    name = f"simulation-{plain or 'campaign'}"
    if len(content) <= _ZIPPED_ABOVE:
        return f"{name}.csv", "text/csv", content
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}.csv", content)
    return f"{name}.zip", "application/zip", packed.getvalue()


def _rows(
    tally: Tally, names: Mapping[ContactId, ListedContact], steps: Mapping[int, str]
) -> Iterator[tuple[str | int | None, ...]]:
    for contact, step, at, outcome in tally.each():
        known = names.get(contact)
        local = at.astimezone(tally.zone)
        yield (
            known.phone if known else None,
            (known.name or known.first_name) if known else None,
            steps[step],
            local.strftime("%Y-%m-%d"),
            local.strftime("%H:%M"),
            "sent" if outcome.reason is None else "left out",
            None if outcome.reason is None else outcome.reason.sentence,
        )
