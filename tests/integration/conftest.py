"""The database for everything in this folder and below."""

from tests.database import database, migrated, postgres

__all__ = ["database", "migrated", "postgres"]
