"""What a look at something outside found."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One fact of a check, for whoever runs this installation.

    Attributes:
        subject: What was looked at: ``PostgreSQL``, ``acme: Slack``.
        said: What was found, a sentence.
        remedy: What to do about it, a sentence; None: it is as it should be.
    """

    subject: str
    said: str
    remedy: str | None = None

    def __str__(self) -> str:
        mark = "ok" if self.remedy is None else "FAILED"
        line = f"{mark:<6}  {self.subject}: {self.said}"
        return line if self.remedy is None else f"{line}\n        {self.remedy}"
