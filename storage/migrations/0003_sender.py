"""A sender to trust: what sending keeps in mind so that it may be relied on."""

from tortoise.migrations.migration import Migration as Base

from storage.migrations import from_files


class Migration(Base):
    dependencies = [("storage", "0002_journeys")]  # noqa: RUF012 — tortoise reads it from the class
    operations = [from_files("0003_sender")]  # noqa: RUF012 — the same
