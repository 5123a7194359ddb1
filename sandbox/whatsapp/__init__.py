"""A pretend WhatsApp Business Platform: Graph API in, signed webhooks out."""
