"""Two tables as an application with an ORM would have them."""

from tortoise import fields
from tortoise.models import Model


class Contact(Model):
    id = fields.BigIntField(primary_key=True)
    phone = fields.TextField()
    first_name = fields.TextField()

    class Meta:
        table = "orm_contacts"


class Message(Model):
    id = fields.BigIntField(primary_key=True)
    contact: fields.ForeignKeyRelation[Contact] = fields.ForeignKeyField("models.Contact")
    template = fields.TextField()
    state = fields.TextField()
    wamid = fields.TextField(null=True)
    accepted_at = fields.DatetimeField(null=True)

    class Meta:
        table = "orm_messages"
