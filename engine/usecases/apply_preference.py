"""What people told WhatsApp itself about marketing messages; it never lifts their own STOP."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from engine.consent import Act
from engine.ids import ContactId
from engine.ports import ConsentEntry, Contacts, Ledger, Platform
from engine.updates import Preference, PreferenceChoice
from engine.usecases.recognise import Sender, recognise, remember

_ACTS: Final = {
    PreferenceChoice.STOP: Act.PLATFORM_STOP,
    PreferenceChoice.RESUME: Act.PLATFORM_RESUME,
}


async def apply_preferences(
    preferences: Sequence[Preference],
    *,
    at: datetime,
    contacts: Contacts,
    ledger: Ledger,
    platform: Platform,
) -> None:
    """Apply *preferences*, heard at *at*; those of strangers, and sign-ups, are kept."""
    people = await recognise(
        [Sender(person=each.person, stranger=False) for each in preferences], contacts=contacts
    )
    entries: list[ConsentEntry] = []
    changed: set[ContactId] = set()
    for each, reached in zip(preferences, people.reached, strict=True):
        act, when = _ACTS.get(each.choice), each.at or at
        if act is None or not reached:
            await platform.keep(
                key=f"preference:{each.person.bsuid or each.person.phone}:{each.choice.value}"
                f":{when.timestamp():.0f}",
                kind="preference",
                content=_content(each),
                at=when,
            )
            continue
        for id_ in reached:
            contact = people.by_id[id_]
            people.by_id[id_] = replace(contact, consent=contact.consent.after(act, when))
            entries.append(
                ConsentEntry(
                    contact_id=id_,
                    act=act,
                    at=when,
                    channel="platform",
                    text=each.detail,
                    reference=f"preference {each.choice.value}",
                )
            )
        changed.update(reached)
    await remember(people, contacts=contacts)
    await contacts.save([people.by_id[id_] for id_ in sorted(changed)])
    if entries:
        await ledger.append_new(entries)


def _content(preference: Preference) -> dict[str, str | None]:
    return {
        "wa_id": preference.person.phone,
        "user_id": preference.person.bsuid,
        "choice": preference.choice.value,
        "category": preference.category,
        "signup_id": preference.signup_id,
    }
