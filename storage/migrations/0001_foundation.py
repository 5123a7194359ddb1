"""The foundation: every table of the first version."""

from tortoise.migrations.migration import Migration as Base

from storage.migrations import from_files


class Migration(Base):
    initial = True
    operations = [from_files("0001_foundation")]  # noqa: RUF012 — tortoise reads it from the class
