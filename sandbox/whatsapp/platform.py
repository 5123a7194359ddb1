"""The pretend WhatsApp itself: what exists, what was accepted, and what happens to it."""

import base64
import secrets
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from random import Random

from sandbox.changes import Changes
from sandbox.clock import Clock
from sandbox.schedule import Schedule
from sandbox.settings import Number, Settings
from sandbox.state import State
from sandbox.whatsapp.errors import BY_WEBHOOK, GraphRefusal, reported
from sandbox.whatsapp.hooks import Hooks, Update
from sandbox.whatsapp.judge import Judged
from sandbox.whatsapp.media import Library
from sandbox.whatsapp.messages import Received, Sent, Step
from sandbox.whatsapp.moods import Moods
from sandbox.whatsapp.people import People
from sandbox.whatsapp.rates import Pair, Throughput
from sandbox.whatsapp.templates import Template
from sandbox.wire import Json, rfc3339

_WINDOW_US = 24 * 3600 * 1_000_000
_REPLIES = ("Sounds good, tell me more", "Yes please", "What does it cost?", "Thanks!")
_SHUFFLE_S = 5  # business seconds a shuffled webhook is held back for at most, or late_s
_KEPT_REFUSALS = 1_000
_LAST_TEXT = 100  # characters of a message in the list of phones


class Platform:
    """State of the account; every change is kept and shown."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock,
        schedule: Schedule,
        state: State,
        changes: Changes,
    ) -> None:
        self.settings = settings
        self.moods = Moods()
        self.numbers: dict[str, Number] = {}
        self.templates: dict[tuple[str, str], Template] = {}
        self.ledger: list[Sent] = []
        self.sent: dict[str, Sent] = {}
        self.received: dict[str, Received] = {}
        self.people = People()
        self.media = Library(state)
        self.refusals: list[Json] = []
        self.turned: Callable[[], Awaitable[None]] | None = None  # told after moods were turned
        self.calls = 0  # calls to the Graph API being answered
        self.hooks = Hooks(
            url=f"{settings.bot_url}/webhooks/whatsapp",
            app_secret=settings.app_secret,
            business_account_id=settings.business_account_id,
            display_phone=lambda number: self.numbers[number].phone.removeprefix("+"),
            clock=clock,
            schedule=schedule,
        )
        self._clock = clock
        self._schedule = schedule
        self._state = state
        self._changes = changes
        self._seq = 0
        self._salt = secrets.token_hex(4)
        self._chance = Random(self.moods.seed)  # noqa: S311 — a game, no secret
        self._throughput: dict[str, Throughput] = {}
        self._pairs: dict[tuple[str, str], Pair] = defaultdict(Pair)
        self._calls_to: dict[str, int] = defaultdict(int)
        self._chats: dict[str, list[Sent | Received]] = defaultdict(list)
        self._heard_us: dict[tuple[str, str], int] = {}
        self._stopped: set[str] = set()

    @property
    def idle(self) -> bool:
        """Whether nobody is being told or answered anything right now."""
        return self.hooks.idle and not self.calls

    # What exists

    def restore(self) -> None:
        """Take up what an earlier start has left, and the settings' numbers and templates."""
        for number in self.settings.numbers:
            self.put_number(number)
        for _, body in self._state.records("wa_number"):
            self.put_number(Number(**body))
        for body in self.settings.templates:
            self.put_template(template_of(body, number=len(self.templates)))
        for _, body in self._state.records("wa_template"):
            self.put_template(
                Template(
                    **{
                        **body,
                        "components": tuple(body["components"]),
                        "edited_us": tuple(body.get("edited_us", ())),
                    }
                )
            )
        for _, body in self._state.records("wa_moods"):
            self.turn(body)
        for _, body in self._state.records("wa_stopped"):
            self._stopped = set(body["phones"])
        for _, body in self._state.records("wa_received"):
            self._take_in(Received(**body))
        for _, body in self._state.records("wa_sent"):
            sent = Sent(**{**body, "ahead": [Step(**step) for step in body["ahead"]]})
            self._enter(sent)
            for step in sent.ahead:
                if step.told:
                    self._tell(sent, step)
                else:
                    self._schedule.at(step.at_us, partial(self._happen, sent, step))
        for chat in self._chats.values():
            chat.sort(key=lambda message: message.seq)
        for key, body in self._state.records("wa_event"):
            self._send_event(key, body)
        for message in self.received.values():
            if not message.told:
                self.hooks.send(self.update_of(message))

    def put_number(self, number: Number) -> None:
        self.numbers[number.id] = number
        self._throughput.setdefault(
            number.id, Throughput(number.messages_per_second)
        ).limit = number.messages_per_second
        self._state.keep("wa_number", number.id, number)
        self._changes.touch("overview")

    def put_template(self, template: Template) -> None:
        self.templates[template.name, template.language] = template
        key = f"{template.name} {template.language}"
        self._state.keep("wa_template", key, template)
        self._changes.touch("overview")

    def turn(self, body: object) -> None:
        """Change the moods.

        Raises:
            Refused: Not a mood, or not one of its values.
        """
        seed = self.moods.seed
        self.moods = self.moods.turned(body)
        if self.moods.seed != seed:
            self._chance = Random(self.moods.seed)  # noqa: S311 — a game, no secret
            self._calls_to.clear()
        self._state.keep("wa_moods", "moods", self.moods.as_json())
        self._changes.touch("moods")

    # What the business sends

    def refused(self, refusal: GraphRefusal, *, number: str, body: object) -> None:
        """Keep what was refused, for the page and for tests that expect no refusal."""
        given = body if isinstance(body, dict) else {}
        self.refusals.append(
            {
                "platform": "whatsapp",
                "at": rfc3339(self._clock.now_us()),
                "ms": self._clock.wall_ms(),
                "number": number,
                "to": given.get("to"),
                "callback_data": given.get("biz_opaque_callback_data"),
                "code": refusal.code,
                "error": refusal.details,
            }
        )
        del self.refusals[:-_KEPT_REFUSALS]
        self._changes.touch("refusals")

    def accept(self, message: Judged, *, number: str) -> Sent:
        """Enter a well-formed message into the ledger, and decide what becomes of it.

        Raises:
            GraphRefusal: A rate is exceeded, the service window is closed, or a mood says so.
        """
        now, monotonic = self._clock.now_us(), self._clock.monotonic()
        to = message.to
        self._check(message, number=number, now=now, monotonic=monotonic)
        self._calls_to[to] += 1
        dice = self.moods.dice(to, self._calls_to[to])
        code = self.moods.error(dice)
        if code is not None and code not in BY_WEBHOOK:
            raise GraphRefusal(code, "as the mood has it")
        if message.category == "MARKETING" and to in self._stopped:
            code = 131050
        self._throughput[number].count(monotonic)
        self._pairs[number, to].count(now)
        self._seq += 1
        sent = Sent(
            seq=self._seq,
            id=self._message_id(to),
            number=number,
            to=to,
            type=message.kind,
            text=message.text,
            accepted_us=now,
            ms=self._clock.wall_ms(),
            template=message.template,
            category=message.category,
            callback_data=message.callback_data,
            reply_to=message.reply_to,
            buttons=list(message.buttons),
            media=message.media,
            header=message.header,
            answer_lost=dice.random() < self.moods.lose_answer,
        )
        sent.ahead = self._fate(sent, code, dice)
        self._enter(sent)
        for step in sent.ahead:
            self._schedule.at(step.at_us, partial(self._happen, sent, step))
        self._keep_sent(sent)
        self._changes.touch("whatsapp")
        return sent

    def mark_read(self, message_id: str) -> None:
        """Show the blue ticks on a contact's phone, up to this message.

        Raises:
            GraphRefusal: 131009; nobody wrote that message.
        """
        message = self.received.get(message_id)
        if message is None:
            raise GraphRefusal(131009, f"message_id: {message_id} does not exist")
        for earlier in self._chats[message.phone]:
            if isinstance(earlier, Received) and earlier.seq <= message.seq and not earlier.read:
                earlier.read = True
                self._state.keep("wa_received", f"{earlier.seq:015}", earlier)
        self._changes.touch("whatsapp")

    def _check(self, message: Judged, *, number: str, now: int, monotonic: float) -> None:
        business = self.numbers[number]
        if message.to == business.phone:
            raise GraphRefusal(131021, "Sender and recipient are the same number")
        for media in (message.media, message.header):
            if (
                media
                and "id" in media
                and not self.media.belongs(media["id"], number=number, at_us=now)
            ):
                raise GraphRefusal(131009, f"media id {media['id']} does not exist")
        if business.health == "BLOCKED":
            raise GraphRefusal(131031, "Business account is locked")
        if not self._throughput[number].admits(monotonic):
            raise GraphRefusal(130429, "Cloud API message throughput has been reached.")
        if not self._pairs[number, message.to].admits(now):
            raise GraphRefusal(131056, "Too many messages to the same phone number.")
        if message.free and now - self._heard_us.get((number, message.to), 0) > _WINDOW_US:
            raise GraphRefusal(
                131047, "More than 24 hours have passed since the recipient last replied."
            )

    def _fate(self, sent: Sent, code: int | None, dice: Random) -> list[Step]:
        moods, delays = self.moods, self.moods.delays_s

        def at(kind: str) -> int:
            return sent.accepted_us + round(delays[kind] * 1e6)

        # Every chance is drawn, so that turning one mood leaves the others' outcomes alone.
        is_sent, is_delivered, is_read, answers = (dice.random() for _ in range(4))
        if code is not None:
            return [Step(at("sent"), "failed", code)]
        if is_sent >= moods.sent:
            return []
        steps = [Step(at("sent"), "sent")]
        if sent.type == "reaction" or is_delivered >= moods.delivered:
            return steps
        steps.append(Step(at("delivered"), "delivered"))
        if is_read < moods.read:
            steps.append(Step(at("read"), "read"))
        if answers < moods.stop:
            steps.append(Step(at("reply"), "stop"))
        elif answers < moods.stop + moods.reply:
            steps.append(Step(at("reply"), "reply"))
        return steps

    def _happen(self, sent: Sent, step: Step) -> None:
        if step not in sent.ahead:
            return
        if step.kind in ("reply", "stop"):
            self._answer(sent, step)
            return
        step.told = True
        error = reported(step.code) if step.code is not None else None
        sent.statuses.append({"status": step.kind, "at": rfc3339(step.at_us), "error": error})
        self._keep_sent(sent)
        self._changes.touch("whatsapp")
        self._travel(
            lambda: self._tell(sent, step),
            withheld=lambda: self._settle_step(sent, step),
            at_us=step.at_us,
        )

    def _answer(self, sent: Sent, step: Step) -> None:
        self._settle_step(sent, step)
        text = "STOP" if step.kind == "stop" else self._chance.choice(_REPLIES)
        message = self.write(
            phone=sent.to,
            number=sent.number,
            content={"type": "text", "text": {"body": text}},
            text=text,
            at_us=step.at_us,
            reply_to=sent.id if self._chance.random() < 0.5 else None,  # noqa: PLR2004 — half
        )
        self._travel(
            lambda: self.hooks.send(self.update_of(message)),
            withheld=lambda: self._settle_received(message),
            at_us=step.at_us,
        )

    def _travel(
        self, send: Callable[[], None], *, withheld: Callable[[], None], at_us: int
    ) -> None:
        """Send a webhook about something that happened at *at_us*, as webhooks do now."""
        mood = self.moods.webhooks
        if mood.withheld and self._chance.random() < mood.withheld:
            withheld()
            return
        late = mood.late_s
        if mood.shuffled and self._chance.random() < mood.shuffled:
            late += self._chance.random() * max(_SHUFFLE_S, mood.late_s)
        for _ in range(2 if mood.doubled and self._chance.random() < mood.doubled else 1):
            if late:
                self._schedule.at(at_us + round(late * 1e6), send)
            else:
                send()

    def _tell(self, sent: Sent, step: Step) -> None:
        status: Json = {
            "id": sent.id,
            "status": step.kind,
            "timestamp": str(step.at_us // 1_000_000),
            "recipient_id": sent.to.removeprefix("+"),
        }
        if sent.callback_data is not None:
            status["biz_opaque_callback_data"] = sent.callback_data
        if step.code is not None:
            status["errors"] = [reported(step.code)]
        else:
            status["recipient_user_id"] = self.people.user_id(sent.to)
        if step.kind in ("sent", "delivered"):
            category = (sent.category or "service").lower()
            status["pricing"] = {
                "billable": True,
                "pricing_model": "PMP",
                "type": "regular",
                "category": category,
            }
        self.hooks.send(
            Update(
                field="messages",
                value={"statuses": [status]},
                number=sent.number,
                done=partial(self._settle_step, sent, step),
            )
        )

    def _settle_step(self, sent: Sent, step: Step) -> None:
        if step in sent.ahead:
            sent.ahead.remove(step)
            self._keep_sent(sent)

    # What contacts write

    def write(
        self,
        *,
        phone: str,
        number: str,
        content: Json,
        text: str,
        at_us: int | None = None,
        reply_to: str | None = None,
        message_id: str | None = None,
        user_id: str | None = None,
        hide_phone: bool = False,
        referral: Json | None = None,
        media: Json | None = None,
    ) -> Received:
        """Let a contact write; the webhook is the caller's to send.

        Args:
            phone: Whose chat it appears in.
            number: Id of the business number written to.
            content: ``type`` and that type's object, as the webhook has them.
            text: What the chat shows.
            at_us: When, in Unix microseconds of business time; None: now.
            reply_to: The message it answers.
            message_id: None: a new one.
            user_id: The contact's business-scoped id from now on; None: as before.
            hide_phone: The business learns the user id only.
            referral: The advertisement it comes from.
            media: What the chat shows beside the text.
        """
        now = self._clock.now_us() if at_us is None else at_us
        if user_id is not None:
            self.people.named(phone, user_id)
        who = self.people.user_id(phone)
        self._seq += 1
        message: Json = {
            "from": phone.removeprefix("+"),
            "from_user_id": who,
            "id": message_id or self._message_id(phone),
            "timestamp": str(now // 1_000_000),
            **content,
        }
        contact: Json = {
            "profile": {"name": self.people.name(phone)},
            "wa_id": phone.removeprefix("+"),
            "user_id": who,
        }
        if hide_phone:
            del message["from"], contact["wa_id"]
        if reply_to is not None:
            business = self.numbers[number].phone.removeprefix("+")
            message["context"] = {"from": business, "id": reply_to}
        if referral is not None:
            message["referral"] = referral
        received = Received(
            seq=self._seq,
            id=message["id"],
            number=number,
            phone=phone,
            at_us=now,
            value={"contacts": [contact], "messages": [message]},
            text=text,
            type=content["type"],
            reply_to=reply_to,
            media=media,
        )
        self._take_in(received)
        self._throughput[number].count(self._clock.monotonic())
        self._keep_received(received)
        self._changes.touch("whatsapp")
        return received

    def update_of(self, message: Received) -> Update:
        """The webhook that tells of a contact's message."""
        return Update(
            field="messages",
            value=message.value,
            number=message.number,
            done=partial(self._settle_received, message),
        )

    def event(self, field: str, value: Json) -> Update:
        """Let the platform say anything else; what it announces becomes true here as well."""
        match field:
            case "message_template_status_update":
                key = (
                    str(value.get("message_template_name")),
                    str(value.get("message_template_language")),
                )
                if key in self.templates and isinstance(value.get("event"), str):
                    reason = value.get("reason")
                    self.put_template(
                        replace(
                            self.templates[key],
                            status=value["event"],
                            rejected_reason=reason if isinstance(reason, str) else "NONE",
                        )
                    )
            case "user_preferences":
                self._prefer(value.get("user_preferences"))
            case _:
                pass
        self._seq += 1
        key_ = f"{self._seq:015}"
        self._state.keep("wa_event", key_, {"field": field, "value": value})
        return self._event_update(key_, {"field": field, "value": value})

    def reviewed(self, template: Template, *, status: str, reason: str) -> Update:
        """Decide about a template and say so."""
        return self.event(
            "message_template_status_update",
            {
                "event": status,
                "message_template_id": int(template.id) if template.id.isdigit() else template.id,
                "message_template_name": template.name,
                "message_template_language": template.language,
                "message_template_category": template.category,
                "reason": reason,
            },
        )

    def _prefer(self, preferences: object) -> None:
        for preference in preferences if isinstance(preferences, list) else []:
            if not isinstance(preference, dict) or "wa_id" not in preference:
                continue
            phone = f"+{preference['wa_id']}"
            if preference.get("value") == "stop":
                self._stopped.add(phone)
            elif preference.get("value") == "resume":
                self._stopped.discard(phone)
        self._state.keep("wa_stopped", "stopped", {"phones": sorted(self._stopped)})

    def _event_update(self, key: str, body: Json) -> Update:
        return Update(
            field=body["field"],
            value=body["value"],
            number=None,
            done=lambda: self._state.keep("wa_event", key, None),
        )

    def _send_event(self, key: str, body: Json) -> None:
        self._seq = max(self._seq, int(key))
        self.hooks.send(self._event_update(key, body))

    def _settle_received(self, message: Received) -> None:
        if not message.told:
            message.told = True
            self._keep_received(message)

    # What can be looked at

    def chat(self, phone: str) -> list[Sent | Received]:
        """Both directions of one phone, in order."""
        return self._chats.get(phone, [])

    def phones(self) -> list[Json]:
        """Every phone with a message, the latest first."""
        return sorted(
            (
                {
                    "phone": phone,
                    "name": self.people.name(phone),
                    "last_at": rfc3339(_moment(chat[-1])),
                    "last_text": (chat[-1].text or f"({chat[-1].type})")[:_LAST_TEXT],
                    "unread": sum(
                        1
                        for message in chat
                        if isinstance(message, Sent)
                        and message.has("delivered")
                        and not message.has("read")
                    ),
                }
                for phone, chat in self._chats.items()
            ),
            key=lambda phone: phone["last_at"],
            reverse=True,
        )

    def latest(self, phone: str) -> Sent | None:
        """The last message the business has sent to *phone*."""
        sent = (message for message in reversed(self.chat(phone)) if isinstance(message, Sent))
        return next(sent, None)

    def _enter(self, sent: Sent) -> None:
        self.ledger.append(sent)
        self.sent[sent.id] = sent
        self._chats[sent.to].append(sent)
        self._seq = max(self._seq, sent.seq)

    def _take_in(self, message: Received) -> None:
        self.received[message.id] = message
        self._chats[message.phone].append(message)
        self._seq = max(self._seq, message.seq)
        key = (message.number, message.phone)
        self._heard_us[key] = max(self._heard_us.get(key, 0), message.at_us)

    def _keep_sent(self, sent: Sent) -> None:
        self._state.keep("wa_sent", f"{sent.seq:015}", sent)

    def _keep_received(self, message: Received) -> None:
        self._state.keep("wa_received", f"{message.seq:015}", message)

    def _message_id(self, phone: str) -> str:
        unique = f"{phone.removeprefix('+')}:{self._seq}:{self._salt}"
        return "wamid." + base64.urlsafe_b64encode(unique.encode()).decode()


def template_of(body: Json, *, number: int) -> Template:
    """Return the template that *body* describes; *number* makes an id where it has none."""
    return Template(
        id=str(body.get("id") or 300000000000001 + number),
        name=body["name"],
        language=body["language"],
        category=body.get("category") or "MARKETING",
        status=body.get("status") or "APPROVED",
        parameter_format=body.get("parameter_format") or "POSITIONAL",
        components=tuple(body.get("components") or ()),
        quality=body.get("quality") or "GREEN",
        rejected_reason=body.get("rejected_reason") or "NONE",
    )


def _moment(message: Sent | Received) -> int:
    return message.accepted_us if isinstance(message, Sent) else message.at_us
