"""The people behind the phones: names and business-scoped user ids.

Source: Meta, "Business-scoped user IDs": ``CC.<up to 128 alphanumerics>``.
"""

import hashlib

import phonenumbers

_NAMES = (
    "Ada", "Bram", "Chloé", "Daan", "Emma", "Femke", "Guus", "Hanna", "Imre", "Julia",
    "Kees", "Lotte", "Mees", "Noor", "Olaf", "Puck", "Quinten", "Roos", "Sem", "Tess",
)  # fmt: skip


class People:
    """Who writes: each phone has one id and one name, the same in every start."""

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}
        self._phones: dict[str, str] = {}

    def user_id(self, phone: str) -> str:
        known = self._ids.get(phone)
        if known is None:
            number = int.from_bytes(hashlib.sha256(phone.encode()).digest()[:8], "big")
            known = f"{_country(phone)}.{number:020d}"
            self.named(phone, known)
        return known

    def named(self, phone: str, user_id: str) -> None:
        """From now on *phone* belongs to *user_id*."""
        self._ids[phone] = user_id
        self._phones[user_id] = phone

    def phone(self, user_id: str) -> str | None:
        return self._phones.get(user_id)

    def name(self, phone: str) -> str:
        """What the person calls themself on WhatsApp."""
        return _NAMES[int(phone[-4:]) % len(_NAMES)]


def _country(phone: str) -> str:
    try:
        region = phonenumbers.region_code_for_number(phonenumbers.parse(phone))
    except phonenumbers.NumberParseException:
        region = None
    return region or "ZZ"
