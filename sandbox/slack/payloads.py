"""The objects Slack puts into answers, events and interactions, in their full shape.

Source: docs.slack.dev, "Events API types", "Interaction payloads", and the method pages.
"""

import re

from sandbox.slack.things import File, Message, View
from sandbox.slack.workspace import Workspace
from sandbox.wire import Json

_MENTION = re.compile(r"(<@[UW][A-Z0-9]+>|<#C[A-Z0-9]+>)")


def escaped(text: str) -> str:
    """Return what a person typed as Slack keeps it; mentions picked from the list stay."""
    parts = _MENTION.split(text)
    return "".join(
        part
        if _MENTION.fullmatch(part)
        else part.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        for part in parts
    )


def typed_blocks(text: str, block_id: str) -> list[Json]:
    """The blocks Slack makes of what a person typed."""
    elements: list[Json] = []
    for part in _MENTION.split(text):
        if part.startswith("<@") and _MENTION.fullmatch(part):
            elements.append({"type": "user", "user_id": part[2:-1]})
        elif _MENTION.fullmatch(part):
            elements.append({"type": "channel", "channel_id": part[2:-1]})
        elif part:
            elements.append({"type": "text", "text": part})
    section = {"type": "rich_text_section", "elements": elements}
    return [{"type": "rich_text", "block_id": block_id, "elements": [section]}]


def team(workspace: Workspace) -> Json:
    return {"id": workspace.settings.slack_team_id, "domain": "sandbox"}


def bot_id(workspace: Workspace) -> str:
    return "B" + workspace.settings.slack_bot_user[1:]


def user_of(workspace: Workspace, user: str) -> Json:
    """The ``user`` of an interaction."""
    known = workspace.users[user]
    name = known.name.lower().replace(" ", ".")
    return {"id": user, "username": name, "name": name, "team_id": workspace.settings.slack_team_id}


def profile_of(workspace: Workspace, user: str) -> Json:
    """The ``user`` of users.info."""
    settings = workspace.settings
    known = workspace.users.get(user)
    if known is None:
        name, zone, is_bot = "Dripline", "Europe/Amsterdam", True
    else:
        name, zone, is_bot = known.name, known.timezone, False
    handle = name.lower().replace(" ", ".")
    return {
        "id": user,
        "team_id": settings.slack_team_id,
        "name": handle,
        "deleted": False,
        "real_name": name,
        "tz": zone,
        "tz_label": zone,
        "tz_offset": 0,
        "profile": {
            "real_name": name,
            "real_name_normalized": name,
            "display_name": name,
            "display_name_normalized": name,
            "team": settings.slack_team_id,
            "image_48": "",
        },
        "is_admin": False,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": False,
        "is_ultra_restricted": False,
        "is_bot": is_bot,
        "is_app_user": False,
        "updated": 0,
    }


def channel_of(workspace: Workspace, channel: str) -> Json:
    """The ``channel`` of conversations.info."""
    known = workspace.channels[channel]
    if known["is_im"]:
        return {
            "id": channel,
            "created": 0,
            "is_im": True,
            "is_archived": False,
            "is_org_shared": False,
            "user": known["user"],
            "is_user_deleted": False,
            "context_team_id": workspace.settings.slack_team_id,
        }
    return {
        "id": channel,
        "name": known["name"],
        "name_normalized": known["name"],
        "is_channel": True,
        "is_group": False,
        "is_im": False,
        "is_mpim": False,
        "is_private": False,
        "created": 0,
        "creator": workspace.settings.slack_bot_user,
        "is_archived": False,
        "is_general": False,
        "is_shared": False,
        "is_member": True,
        "num_members": len(known["members"]),
        "topic": {"value": "", "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
        "context_team_id": workspace.settings.slack_team_id,
    }


def file_of(workspace: Workspace, file: File) -> Json:
    """The ``file`` of files.info; its type is empty until Slack has looked at it."""
    settings = workspace.settings
    ready = workspace.ready(file.id)
    place = f"{settings.url}/slack/files/{settings.slack_team_id}-{file.id}/{file.name}"
    return {
        "id": file.id,
        "created": file.created,
        "timestamp": file.created,
        "name": file.name,
        "title": file.title or file.name,
        "mimetype": file.mimetype if ready else "",
        "filetype": file.name.rpartition(".")[2].lower() if ready else "",
        "pretty_type": file.name.rpartition(".")[2].upper() if ready else "",
        "user": file.user,
        "user_team": settings.slack_team_id,
        "editable": False,
        "size": file.size,
        "mode": "hosted",
        "is_external": False,
        "external_type": "",
        "is_public": any(channel.startswith("C") for channel in file.shared),
        "public_url_shared": False,
        "display_as_bot": False,
        "username": "",
        "url_private": place,
        "url_private_download": place + "?download=1",
        "permalink": f"{settings.url}/files/{file.user}/{file.id}",
        "channels": [channel for channel in file.shared if channel.startswith("C")],
        "groups": [],
        "ims": [channel for channel in file.shared if channel.startswith("D")],
        "comments_count": 0,
        "has_rich_preview": False,
        "file_access": "visible",
    }


def message_of(workspace: Workspace, message: Message) -> Json:
    """A message as history, events and interactions carry it."""
    settings = workspace.settings
    body: Json = {
        "type": "message",
        "user": message.user,
        "ts": message.ts,
        "text": message.text,
        "team": settings.slack_team_id,
    }
    if message.user == settings.slack_bot_user:
        body["bot_id"] = bot_id(workspace)
        body["app_id"] = settings.slack_app_id
        body["bot_profile"] = {
            "id": bot_id(workspace),
            "deleted": False,
            "name": "Dripline",
            "updated": 0,
            "app_id": settings.slack_app_id,
            "team_id": settings.slack_team_id,
        }
    if message.blocks:
        body["blocks"] = message.blocks
    if message.attachments:
        body["attachments"] = message.attachments
    if message.metadata is not None:
        body["metadata"] = message.metadata
    if message.thread_ts is not None:
        body["thread_ts"] = message.thread_ts
        parent = workspace.messages.get((message.channel, message.thread_ts))
        if parent is not None and parent is not message:
            body["parent_user_id"] = parent.user
    if message.files:
        body["files"] = [file_of(workspace, workspace.files[file]) for file in message.files]
        if message.user != settings.slack_bot_user:
            body["subtype"] = "file_share"
            body["upload"] = False
    if message.edited is not None:
        body["edited"] = {"user": message.user, "ts": message.edited}
    if message.reactions:
        body["reactions"] = message.reactions
    return body


def view_of(workspace: Workspace, view: View) -> Json:
    """A view as methods answer it and interactions carry it."""
    given = view.given
    settings = workspace.settings
    empty = {"type": "plain_text", "text": "", "emoji": True}
    return {
        "id": view.id,
        "team_id": settings.slack_team_id,
        "type": view.kind,
        "blocks": given["blocks"],
        "private_metadata": given.get("private_metadata", ""),
        "callback_id": given.get("callback_id", ""),
        "state": {"values": view.state},
        "hash": view.hash,
        "title": given.get("title", empty),
        "clear_on_close": given.get("clear_on_close", False),
        "notify_on_close": given.get("notify_on_close", False),
        "close": given.get("close"),
        "submit": given.get("submit"),
        "previous_view_id": view.previous,
        "root_view_id": view.root,
        "app_id": settings.slack_app_id,
        "external_id": given.get("external_id", ""),
        "app_installed_team_id": settings.slack_team_id,
        "bot_id": bot_id(workspace),
    }


def interaction(workspace: Workspace, kind: str, user: str) -> Json:
    """What every interaction payload has."""
    return {
        "type": kind,
        "team": team(workspace),
        "user": user_of(workspace, user),
        "api_app_id": workspace.settings.slack_app_id,
        "token": "sandbox",
        "enterprise": None,
        "is_enterprise_install": False,
    }


def event(workspace: Workspace, body: Json, *, event_id: str) -> Json:
    """The envelope of an event."""
    settings = workspace.settings
    return {
        "token": "sandbox",
        "team_id": settings.slack_team_id,
        "context_team_id": settings.slack_team_id,
        "context_enterprise_id": None,
        "api_app_id": settings.slack_app_id,
        "event": body,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": workspace.clock.now_us() // 1_000_000,
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": settings.slack_team_id,
                "user_id": settings.slack_bot_user,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": "4-sandbox",
    }
