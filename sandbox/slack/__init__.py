"""A pretend Slack workspace: Web API in; commands, interactions and events out."""
