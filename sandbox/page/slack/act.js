// What a person does in Slack, told to the sandbox; a refusal becomes a note on the page.

import { get, post } from "../api.js";
import { session } from "../session.js";
import { toast } from "../toast.js";

const NOT_ANSWERED = "the app did not answer in time (operation_timeout)";

/** Tell of *answer* what a person would see of a failed acknowledgement. */
function judged(answer, what) {
  // A form that Slack's own client holds back reaches no app: its errors say enough.
  if (!answer || Object.keys(answer.errors ?? {}).length > 0) return answer;
  if (answer.status === null || answer.status === 0) toast(`${what} failed: ${NOT_ANSWERED}.`, "problem");
  else if (answer.status >= 400) toast(`${what} failed: the app answered ${answer.status} (dispatch_failed).`, "problem");
  return answer;
}

async function told(what, path, body) {
  try {
    return judged(await post(path, { user: session.user, ...body }), what);
  } catch (problem) {
    toast(`${what}: ${problem.message}`, "problem");
    return undefined;
  }
}

export const command = (channel, text) => told("/drip", "slack/command", { channel, text });

export const say = (channel, text, thread) => told("Your message", "slack/say", { channel, text, thread_ts: thread ?? null });

export const upload = (channel, name, content, text) => told("Your file", "slack/upload", { channel, name, content_base64: content, text: text || null });

/** Use *element*; `place` is `{message_ts, channel}` or `{view_id}`. */
export function click(element, block, value, place) {
  return told("This action", "slack/click", {
    action_id: element.action_id,
    block_id: block.block_id ?? null,
    value: value ?? null,
    ...place,
  });
}

/** The bot's options for an external select. */
export function options(element, query, { message_ts, view_id }) {
  return post("slack/options", { user: session.user, action_id: element.action_id, query, message_ts, view_id });
}

export const submit = (view, values) => told("The form", "slack/submit", { view_id: view, values });

export const openHome = () => told("Home", "slack/open_home", {});

export const views = () => get("slack/views", { user: session.user });

export const closeView = (view) => told("Closing", "slack/close", { view_id: view });
