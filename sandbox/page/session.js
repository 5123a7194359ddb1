// Who looks at the page, and what the business clock says, for every part of it.

import { get } from "./api.js";

const watchers = new Set();
const KEPT = "dripline-sandbox-user";

export const session = {
  user: localStorage.getItem(KEPT) ?? "U0OWNER",
  /** Milliseconds by which the business clock is ahead of this browser's. */
  offset: 0,

  /** Business time now. */
  get now() {
    return new Date(Date.now() + this.offset);
  },

  /** Become *user*; everybody who watches is told. */
  become(user) {
    this.user = user;
    localStorage.setItem(KEPT, user);
    for (const watcher of watchers) watcher(user);
  },

  watch(watcher) {
    watchers.add(watcher);
  },

  /** Set the clock by the sandbox's. */
  async readClock() {
    this.set(await get("clock"));
  },

  /** Take the `now` of an answer as the present. */
  set({ now, offset_s: offset }) {
    this.offset = Date.parse(now) - Date.now();
    if (offset !== undefined) this.ahead = offset;
  },

  /** Seconds by which the business clock is ahead of the machine's. */
  ahead: 0,
};
