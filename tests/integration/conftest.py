"""The database for everything in this folder and below."""

from tests.database import database, migrated, postgres, superuser

__all__ = ["database", "migrated", "postgres", "superuser"]
