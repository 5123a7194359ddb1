"""Journeys, audiences, templates: what campaigns are built of beyond the foundation."""

from tortoise.migrations.migration import Migration as Base

from storage.migrations import from_files


class Migration(Base):
    dependencies = [("storage", "0001_foundation")]  # noqa: RUF012 — tortoise reads it from the class
    operations = [from_files("0002_journeys")]  # noqa: RUF012 — the same
