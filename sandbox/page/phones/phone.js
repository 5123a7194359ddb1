// One phone: its chat, drawn as the person sees it, and what they write.

import { get, post } from "../api.js";
import { fill, h, icon, ICONS, reconcile } from "../dom.js";
import { follow } from "../live.js";
import { session } from "../session.js";
import { dayKey, dayName } from "../times.js";
import { attempt, toast } from "../toast.js";
import { avatar } from "./avatar.js";
import { bubble, excerpt } from "./bubble.js";

const SHOWN = 100;
const NEAR_PX = 80;
const QUICK = ["STOP", "Yes please!", "START"];

/** The phone; `nameOf(phone)` knows names, `opened(phone)` is told when its chat was read. */
export function phonePane({ nameOf, opened }) {
  let phone = null;
  let answering = null;
  let shown = SHOWN;
  let all = [];

  const head = h("header", { class: "phone-head" });
  const list = h("div", { class: "bubbles", role: "log", "aria-live": "polite", "aria-label": "Chat" });
  const earlier = h("button", { type: "button", class: "link-button earlier", hidden: true, on: { click: () => {
    shown += SHOWN;
    show();
  } } }, "Show earlier messages");
  const empty = h("div", { class: "empty small", hidden: true });
  const scroller = h("div", { class: "chat", tabindex: "0", role: "region", "aria-label": "Messages of the phone" }, earlier, empty, list);
  const quoting = h("div", { class: "quoting", hidden: true });
  const field = h("input", { type: "text", class: "chat-field", placeholder: "Write as this person", "aria-label": "Write as this person", autocomplete: "off" });
  const quick = h("div", { class: "quick" }, QUICK.map((text) => h("button", { type: "button", class: "try", title: `Write “${text}”`, on: { click: () => write({ text }) } }, text)));
  const form = h("form", { class: "chat-form", on: { submit: (event) => {
    event.preventDefault();
    const text = field.value;
    if (text.trim() === "") return;
    field.value = "";
    write({ text });
  } } }, field, h("button", { type: "submit", class: "chat-send", "aria-label": "Send", title: "Send (Enter)" }, icon(ICONS.send)));
  const foot = h("footer", { class: "phone-foot" }, quoting, quick, form);
  const element = h("div", { class: "phone-frame", hidden: true }, h("div", { class: "phone-screen" }, head, scroller, foot));

  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && answering) answer(null);
  });

  async function write(what) {
    const to = answering;
    const number = to?.number ?? all.at(-1)?.number ?? null;
    answer(null);
    await attempt(async () => {
      const { status } = await post("whatsapp/inbound", { from: phone, reply_to: to?.id ?? null, number, ...what });
      if (status !== 200) toast(`The bot answered ${status || "nothing"} to this message; WhatsApp will repeat it.`, "problem");
    });
  }

  function answer(message) {
    answering = message;
    quoting.hidden = message === null;
    if (message === null) return;
    fill(quoting, h("span", {}, h("small", {}, "Reply to"), excerpt(message)),
      h("button", { type: "button", class: "icon-button", "aria-label": "Do not reply to it", on: { click: () => answer(null) } }, icon(ICONS.close)));
    field.focus();
  }

  function tap(message, button) {
    answering = message;
    write({ button: button.payload });
  }

  function show() {
    const near = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_PX;
    const byId = new Map(all.map((message) => [message.id, message]));
    const visible = all.slice(-shown);
    earlier.hidden = all.length <= shown;
    empty.hidden = all.length > 0;
    fill(empty, all.length > 0 ? null : [h("p", {}, "Nothing yet on this phone."), h("p", { class: "muted" }, "Write to the business below, or enroll this number from Slack: ", h("code", {}, `/drip contact add ${phone} first_name=Ada`))]);
    reconcile(list, visible, {
      key: (message) => message.id,
      stamp: (message, index) => JSON.stringify([message, index === 0 || startsDay(visible, index), dayKey(session.now)]),
      draw: (message, index) => h("div", {},
        startsDay(visible, index) ? h("div", { class: "chat-day" }, h("span", {}, dayName(new Date(message.at), session.now))) : null,
        bubble(message, { quoted: message.reply_to ? byId.get(message.reply_to) ?? null : null, reply: answer, tap })),
    });
    if (near) scroller.scrollTop = scroller.scrollHeight;
  }

  function startsDay(messages, index) {
    return index === 0 || dayKey(new Date(messages[index].at)) !== dayKey(new Date(messages[index - 1].at));
  }

  async function load() {
    if (phone === null) return;
    const wanted = phone;
    const { messages } = await get("whatsapp/chat", { phone: wanted });
    if (wanted !== phone) return;
    all = messages;
    show();
    opened(wanted);
  }

  const refresh = follow((topic) => topic === "whatsapp", load, { pause: 250 });

  function drawHead() {
    const name = nameOf(phone);
    fill(head, avatar({ phone, name }), h("div", {}, h("strong", {}, name || phone), h("small", {}, name ? phone : "a person's phone")));
  }

  return {
    element,
    async open(number, { focus = true } = {}) {
      if (phone !== number) {
        phone = number;
        all = [];
        shown = SHOWN;
        fill(list);
        answer(null);
      }
      element.hidden = false;
      drawHead();
      await refresh();
      drawHead();
      scroller.scrollTop = scroller.scrollHeight;
      if (focus) field.focus();
    },
    rename: () => phone !== null && drawHead(),
    get phone() {
      return phone;
    },
  };
}
