"""The webhook's counterpart for everything in this folder."""

from tests.integration.whatsapp.meta import meta

__all__ = ["meta"]
