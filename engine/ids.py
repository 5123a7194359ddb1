"""Identifiers, told apart by type. All but two are bigints of the database."""

from typing import NewType

OrganizationId = NewType("OrganizationId", str)  # its key in dripline.toml
NumberId = NewType("NumberId", str)  # WhatsApp's phone number id
ContactId = NewType("ContactId", int)
CampaignId = NewType("CampaignId", int)
StepId = NewType("StepId", int)
EnrollmentId = NewType("EnrollmentId", int)
MessageId = NewType("MessageId", int)
ImportId = NewType("ImportId", int)
BlobId = NewType("BlobId", int)
AutomationId = NewType("AutomationId", int)
SegmentId = NewType("SegmentId", int)
DraftId = NewType("DraftId", int)
MediaId = NewType("MediaId", int)
ListId = NewType("ListId", int)
