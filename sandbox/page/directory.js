// Who and what there is: people, channels, numbers, templates, and the names of ids.

import { get } from "./api.js";

const BOT = "U0DRIP";

export const directory = {
  organization: "",
  users: [],
  channels: [],
  numbers: [],
  templates: [],

  /** Fetch anew. */
  async load() {
    Object.assign(this, await get("overview"));
  },

  user(id) {
    return this.users.find((user) => user.id === id);
  },

  userName(id) {
    if (id === BOT) return "Dripline";
    return this.user(id)?.name ?? id ?? "somebody";
  },

  isBot(id) {
    return id === BOT;
  },

  /** The name without its #, for a channel; the other's name, for a direct message. */
  channelName(id) {
    const channel = this.channels.find((candidate) => candidate.id === id);
    if (channel === undefined) return id;
    return channel.is_im ? this.userName(channel.user) : channel.name;
  },

  /** The direct message of *user* with the bot, or undefined. */
  directMessage(user) {
    return this.channels.find((channel) => channel.is_im && channel.user === user);
  },

  /** The channels that *user* sees, the direct message left out. */
  channelsOf() {
    return this.channels.filter((channel) => !channel.is_im);
  },

  /** The organization's time zone, which all of its people share. */
  get zone() {
    return this.users[0]?.timezone ?? "UTC";
  },
};
