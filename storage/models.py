"""Tables as tortoise sees them: for what one person does to a few rows. No rules here.

Keys are (organization_id, id) in the database; tortoise knows one column as the key, and `id` is
unique by itself. Rows are reached through a unit, whose role keeps organizations apart.
"""

from typing import Any

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model


class Organization(Model):
    organization_id = fields.CharField(max_length=64, primary_key=True)
    closed_until = fields.DatetimeField(null=True)
    closed_why = fields.TextField(null=True)
    messages_from = fields.DatetimeField(null=True)
    database_identity = fields.TextField(null=True)
    moved_at = fields.DatetimeField(null=True)
    moved_to = fields.TextField(null=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "organizations"


class Number(Model):
    id = fields.CharField(max_length=64, primary_key=True)
    organization_id = fields.TextField()
    phone = fields.TextField()
    messages_per_second = fields.IntField(null=True)
    quality = fields.TextField(default="unknown")
    messaging_limit = fields.TextField(null=True)
    verified_name = fields.TextField(null=True)
    closed_until = fields.DatetimeField(null=True)
    closed_why = fields.TextField(null=True)
    braked_at = fields.DatetimeField(null=True)
    account: dict[str, Any] = fields.JSONField(default=dict)
    updated_at = fields.DatetimeField()

    class Meta:
        table = "numbers"


class Contact(Model):
    id = fields.BigIntField(primary_key=True)
    organization_id = fields.TextField()
    name = fields.TextField(null=True)
    first_name = fields.TextField(null=True)
    company = fields.TextField(null=True)
    email = fields.TextField(null=True)
    attributes: dict[str, Any] = fields.JSONField(default=dict)
    language = fields.TextField(null=True)
    timezone = fields.TextField(null=True)
    timezone_from = fields.TextField(null=True)
    workflow_status = fields.TextField(null=True)
    last_rating = fields.SmallIntField(null=True)
    country = fields.TextField(null=True)
    conversation_count = fields.IntField(default=0)
    last_message_at = fields.DatetimeField(null=True)
    last_reply_at = fields.DatetimeField(null=True)
    source = fields.TextField()
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()
    opted_out_at = fields.DatetimeField(null=True)
    opted_in_at = fields.DatetimeField(null=True)
    platform_stopped_at = fields.DatetimeField(null=True)
    platform_resumed_at = fields.DatetimeField(null=True)
    blocked_at = fields.DatetimeField(null=True)
    unblocked_at = fields.DatetimeField(null=True)
    unreachable_at = fields.DatetimeField(null=True)
    reached_at = fields.DatetimeField(null=True)
    erased_at = fields.DatetimeField(null=True)
    last_number_id = fields.TextField(null=True)
    promoted_at = fields.DatetimeField(null=True)
    promoted_campaign_id = fields.BigIntField(null=True)
    promoted_ats: Any = ArrayField(element_type="timestamptz", default=list)

    class Meta:
        table = "contacts"


class Campaign(Model):
    id = fields.BigIntField(primary_key=True)
    organization_id = fields.TextField()
    kind = fields.TextField()
    name = fields.TextField()
    name_key = fields.TextField(null=True)
    state = fields.TextField()
    type = fields.TextField()
    trigger = fields.TextField(default="manual")
    settings: dict[str, Any] = fields.JSONField(default=dict)
    priority = fields.SmallIntField(default=5)
    number_id = fields.TextField(null=True)
    audience: Any = fields.JSONField(null=True)
    contacts_up_to = fields.BigIntField(null=True)
    planning_cursor = fields.BigIntField(null=True)
    planned_at = fields.DatetimeField(null=True)
    closed_until = fields.DatetimeField(null=True)
    closed_why = fields.TextField(null=True)
    next_slot_at = fields.DatetimeField(null=True)
    day_on = fields.DateField(null=True)
    day_count = fields.IntField(default=0)
    version = fields.IntField(default=1)
    actor = fields.TextField()
    channel = fields.TextField(null=True)
    created_at = fields.DatetimeField()
    started_at = fields.DatetimeField(null=True)
    started_by = fields.TextField(null=True)
    paused_at = fields.DatetimeField(null=True)
    paused_by = fields.TextField(null=True)
    ended_at = fields.DatetimeField(null=True)
    ended_by = fields.TextField(null=True)
    settled_at = fields.DatetimeField(null=True)
    completed_at = fields.DatetimeField(null=True)
    updated_at = fields.DatetimeField()
    schedule: Any = fields.JSONField(null=True)
    scheduled_at = fields.DatetimeField(null=True)
    look_at = fields.DatetimeField(null=True)
    scheduled_by = fields.TextField(null=True)
    series_id = fields.BigIntField(null=True)
    excluded: dict[str, Any] = fields.JSONField(default=dict)
    rewalk_cursor = fields.BigIntField(null=True)
    card_final = fields.BooleanField(default=False)
    held_s = fields.FloatField(default=0)
    paused_s = fields.FloatField(default=0)
    resumed_at = fields.DatetimeField(null=True)
    look_again_since = fields.DatetimeField(null=True)
    left_out_before = fields.DatetimeField(null=True)
    restored_at = fields.DatetimeField(null=True)
    looked_due_at = fields.DatetimeField(null=True)
    looked_id = fields.BigIntField(null=True)
    brake_since = fields.DatetimeField(null=True)
    brake_accepted = fields.BigIntField(default=0)

    class Meta:
        table = "campaigns"


class Step(Model):
    id = fields.BigIntField(primary_key=True)
    organization_id = fields.TextField()
    campaign_id = fields.BigIntField()
    position = fields.FloatField()
    after_s = fields.BigIntField()
    content: dict[str, Any] = fields.JSONField()
    created_at = fields.DatetimeField()
    removed_at = fields.DatetimeField(null=True)
    timing: dict[str, Any] = fields.JSONField(default=dict)
    conditions: dict[str, Any] = fields.JSONField(default=dict)
    fallback: Any = fields.JSONField(null=True)
    settings: dict[str, Any] = fields.JSONField(default=dict)
    version = fields.IntField(default=1)
    moved_at = fields.DatetimeField(null=True)

    class Meta:
        table = "steps"


class Enrollment(Model):
    id = fields.BigIntField(primary_key=True)
    organization_id = fields.TextField()
    campaign_id = fields.BigIntField()
    contact_id = fields.BigIntField()
    state = fields.TextField()
    reason = fields.TextField(null=True)
    beside = fields.BooleanField(default=False)
    step_id = fields.BigIntField(null=True)
    position = fields.FloatField(default=0)
    due_at = fields.DatetimeField(null=True)
    enrolled_at = fields.DatetimeField()
    enrolled_by = fields.TextField()
    ended_at = fields.DatetimeField(null=True)
    sent = fields.IntField(default=0)
    delivered = fields.IntField(default=0)
    read = fields.IntField(default=0)
    replied = fields.IntField(default=0)
    since_at = fields.DatetimeField(null=True)
    timed = fields.BooleanField(default=False)
    awaits_delivery = fields.BooleanField(default=False)
    retraced = fields.BooleanField(default=False)
    properties: dict[str, Any] = fields.JSONField(default=dict)
    paused_at = fields.DatetimeField(null=True)
    paused_by = fields.TextField(null=True)
    campaign_paused_s = fields.FloatField(default=0)
    depth = fields.SmallIntField(default=0)

    class Meta:
        table = "enrollments"


class Template(Model):
    id = fields.CharField(max_length=64, primary_key=True)
    organization_id = fields.TextField()
    name = fields.TextField()
    language = fields.TextField()
    category = fields.TextField()
    status = fields.TextField()
    quality = fields.TextField(default="UNKNOWN")
    content: dict[str, Any] = fields.JSONField()
    synced_at = fields.DatetimeField()
    gone_at = fields.DatetimeField(null=True)
    held_at = fields.DatetimeField(null=True)

    class Meta:
        table = "templates"


class Import(Model):
    id = fields.BigIntField(primary_key=True)
    organization_id = fields.TextField()
    file_id = fields.TextField()
    blob_id = fields.BigIntField()
    verdicts_blob_id = fields.BigIntField(null=True)
    name = fields.TextField()
    state = fields.TextField()
    problem = fields.TextField(null=True)
    position = fields.BigIntField(default=0)
    counts: dict[str, Any] = fields.JSONField(default=dict)
    samples: dict[str, Any] = fields.JSONField(default=dict)
    actor = fields.TextField()
    channel = fields.TextField()
    thread_ts = fields.TextField(null=True)
    message_ts = fields.TextField(null=True)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()
    rows = fields.BigIntField(default=0)
    reading: dict[str, Any] = fields.JSONField(default=dict)
    list_id = fields.BigIntField(null=True)
    stays_blob_id = fields.BigIntField(null=True)
    undone_by = fields.TextField(null=True)
    failures = fields.IntField(default=0)
    next_try_at = fields.DatetimeField(null=True)

    class Meta:
        table = "imports"


class AuditEntry(Model):
    id = fields.BigIntField(primary_key=True)
    organization_id = fields.TextField()
    at = fields.DatetimeField()
    actor = fields.TextField()
    action = fields.TextField()
    subject = fields.TextField()
    content: dict[str, Any] = fields.JSONField(default=dict)
    seal = fields.BinaryField(null=True)
    place = fields.BigIntField(null=True)

    class Meta:
        table = "audit_log"
