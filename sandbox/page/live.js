// Hears what changed in the sandbox and tells those who asked for that topic.

import { get } from "./api.js";

const WAIT_MS = 25000;
const listeners = new Set();
const connection = { lost: false, watchers: new Set() };

/**
 * Call *refresh* when a topic that *wants* accepts has changed, at most once per *pause* ms and
 * never twice at a time. Answers a function that asks for a refresh now.
 */
export function follow(wants, refresh, { pause = 120 } = {}) {
  const state = { timer: null, running: false, again: false };
  async function run() {
    state.timer = null;
    if (state.running) {
      state.again = true;
      return;
    }
    state.running = true;
    const began = performance.now();
    try {
      await refresh();
    } catch (problem) {
      // The long poll notices a sandbox that is gone and refreshes all when it is back.
      if (problem.status === undefined && problem.name !== "AbortError") throw problem;
    } finally {
      state.running = false;
      if (state.again) {
        state.again = false;
        // What takes long to fetch is fetched less often.
        schedule(Math.max(pause, 3 * (performance.now() - began)));
      }
    }
  }
  function schedule(delay) {
    state.timer ??= setTimeout(run, delay);
  }
  listeners.add((topics) => {
    if (topics === null || topics.some(wants)) schedule(pause);
  });
  return run;
}

/** Tell *watcher* (a function of one boolean) whether the sandbox can be reached. */
export function watchConnection(watcher) {
  connection.watchers.add(watcher);
}

/** Poll for ever. */
export async function listen() {
  let version = null;
  for (;;) {
    try {
      const first = version === null;
      const answer = await get("changes", { after: version ?? 0, wait_ms: first ? 0 : WAIT_MS });
      const known = version;
      version = answer.version;
      if (connection.lost) {
        setLost(false);
        tell(null);
      } else if (!first && answer.version < known) {
        // The sandbox started anew and counts from the beginning.
        tell(null);
      } else if (!first && answer.version > known) {
        tell(answer.topics);
      }
    } catch {
      setLost(true);
      await new Promise((resume) => setTimeout(resume, 1000));
    }
  }
}

function tell(topics) {
  for (const listener of listeners) listener(topics);
}

function setLost(lost) {
  if (connection.lost === lost) return;
  connection.lost = lost;
  for (const watcher of connection.watchers) watcher(lost);
}
