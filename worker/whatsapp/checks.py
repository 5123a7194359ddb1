"""Whether Meta lets the worker in, and whether numbers and account can do their work."""

from engine.config import Config, Organization, WhatsAppNumber
from engine.findings import Finding
from engine.phone import masked
from worker.whatsapp.client import CloudApi, ManagementFailed, NumberState, open_session


async def whatsapp(config: Config, *, key: str, organization: Organization) -> tuple[Finding, ...]:
    """Return what Meta says of the account's webhooks and of each number."""
    account = organization.whatsapp
    async with open_session() as session:
        token = account.access_token.get_secret_value()
        api = CloudApi(session, config.server.graph_url, token)
        subject = f"{key}: WhatsApp"
        found = [await _webhooks(api, subject, account.business_account_id)]
        for number in account.numbers:
            found += await _number(api, f"{subject} {masked(number.phone)}", number)
    return tuple(found)


async def _webhooks(api: CloudApi, subject: str, waba_id: str) -> Finding:
    try:
        subscribed = await api.subscribed(waba_id)
    except ManagementFailed as error:
        return Finding(
            subject=subject,
            said=f"the account {waba_id} cannot be read. {_sentence(error)}",
            remedy=_remedy(
                error,
                "Check business_account_id, and that access_token's user manages the account.",
            ),
        )
    if subscribed:
        return Finding(subject=subject, said="an app gets the account's webhooks.")
    return Finding(
        subject=subject,
        said="no app gets the account's webhooks, so no reply and no STOP would arrive.",
        remedy=f"Subscribe yours: POST /{waba_id}/subscribed_apps with access_token.",
    )


async def _number(api: CloudApi, subject: str, number: WhatsAppNumber) -> list[Finding]:
    try:
        state = await api.number(number.id)
    except ManagementFailed as error:
        return [
            Finding(
                subject=subject,
                said=f"the number {number.id} cannot be read. {_sentence(error)}",
                remedy=_remedy(
                    error, "Copy the id from WhatsApp Manager; it is not the number itself."
                ),
            )
        ]
    return [_same(subject, number, state), _health(subject, state)]


def _same(subject: str, number: WhatsAppNumber, state: NumberState) -> Finding:
    shown = state.display_phone
    if shown is None or "".join(filter(str.isdigit, shown)) == number.phone.removeprefix("+"):
        return Finding(subject=subject, said=f"is {state.verified_name}, quality {state.quality}.")
    return Finding(
        subject=subject,
        said=f"the id {number.id} belongs to another number, {masked(shown)}.",
        remedy="Correct id or phone in numbers.",
    )


def _health(subject: str, state: NumberState) -> Finding:
    limit = f"messaging limit {state.messaging_limit}" if state.messaging_limit else "no limit told"
    if state.can_send in {"AVAILABLE", None}:
        return Finding(subject=subject, said=f"may send; {limit}.")
    reasons = " ".join(state.reasons) or "Meta does not say why."
    return Finding(
        subject=subject,
        said=f"sending is {state.can_send}; {limit}. {reasons}",
        remedy="See the number in WhatsApp Manager.",
    )


def _remedy(error: ManagementFailed, when_refused: str) -> str:
    if error.refused is not None:
        return when_refused
    return "Is server.graph_url right, and does this machine reach the internet?"


def _sentence(error: ManagementFailed) -> str:
    return f"{str(error).rstrip('.')}."
