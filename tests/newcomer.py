"""The newcomer's story, told by several tests: a file of leads, a drip of three steps, a sale."""

import csv
import io

HOSTILE = '<!channel> =HYPERLINK("x")'
ROWS, NEW, DUPLICATES, INVALID = 200, 195, 3, 2

DRIP = (
    'campaign new "Welcome" trigger=tag:lead stop_on_reply=yes',
    "step add Welcome after=0m template=welcome first_name={first_name|there}",
    "step add Welcome after=2d template=followup",
    "step add Welcome after=5d template=offer 1={first_name|there} 2=10% url=welcome",
    "campaign activate Welcome",
)
ENROLL = "enroll Welcome tag:lead"
BROADCAST = 'broadcast new "Sale" to=tag:lead template=followup'


def phone(place: int) -> str:
    return f"+3162000{place:04}"


def leads() -> bytes:
    """Return 200 rows: 195 new contacts, 3 duplicates written differently, 2 invalid numbers."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(["phone", "first_name", "company", "tags"])
    for place in range(NEW):
        name = HOSTILE if place == 7 else f"Lead{place}"
        rows.writerow([phone(place), name, f"Company {place}", "lead"])
    for written in ("06 2000 0001", "0031620000002", "(+31) 6-2000.0003"):
        rows.writerow([written, "Twice", "", "lead"])
    rows.writerow(["12", "Nobody", "", "lead"])
    rows.writerow(["call me", "Nobody", "", "lead"])
    return out.getvalue().encode()
