"""A pretend WhatsApp and a pretend Slack, to run the whole product on one laptop."""
