// Writes instants of the business clock in the organization's time zone.

import { directory } from "./directory.js";

const formats = new Map();

function format(options) {
  const key = JSON.stringify([directory.zone, options]);
  let found = formats.get(key);
  if (found === undefined) {
    found = new Intl.DateTimeFormat("en-GB", { timeZone: directory.zone, ...options });
    formats.set(key, found);
  }
  return found;
}

/** `14:05`. */
export function clockTime(date) {
  return format({ hour: "2-digit", minute: "2-digit" }).format(date);
}

/** `14:05:09`. */
export function clockSeconds(date) {
  return format({ hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(date);
}

/** `Saturday, 21 November`, with the year if asked. */
export function longDay(date, { year = false } = {}) {
  return format({ weekday: "long", day: "numeric", month: "long", year: year ? "numeric" : undefined }).format(date);
}

/** `Sat 21 Nov`. */
export function shortDay(date) {
  return format({ weekday: "short", day: "numeric", month: "short" }).format(date).replace(",", "");
}

/** `2026-11-21` in the organization's zone: the same text means the same day. */
export function dayKey(date) {
  const parts = Object.fromEntries(
    format({ year: "numeric", month: "2-digit", day: "2-digit" }).formatToParts(date).map((part) => [part.type, part.value]),
  );
  return `${parts.year}-${parts.month}-${parts.day}`;
}

/** "Today", "Yesterday" or the day. */
export function dayName(date, now) {
  const key = dayKey(date);
  if (key === dayKey(now)) return "Today";
  if (key === dayKey(new Date(now.getTime() - 86400000))) return "Yesterday";
  return longDay(date);
}

/** What a reader of a list wants: the time for today, else the day. */
export function brief(date, now) {
  return dayKey(date) === dayKey(now) ? clockTime(date) : shortDay(date);
}

/** The instant of a Slack `ts`. */
export function ofTs(ts) {
  return new Date(Number.parseFloat(ts) * 1000);
}

/** `2 d 3 h 5 min`; `0 s` for nothing. */
export function span(seconds) {
  const parts = [];
  let left = Math.round(Math.abs(seconds));
  for (const [size, unit] of [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]]) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0) parts.push(`${count} ${unit}`);
  }
  return parts.slice(0, 3).join(" ") || "0 s";
}

/** Text of Slack's `<!date^…>`: *pattern* with its tokens filled in. */
export function slackDate(seconds, pattern, now) {
  const date = new Date(seconds * 1000);
  const day = { day: "numeric", month: "long" };
  const relative = (usual) => {
    const key = dayKey(date);
    for (const [shift, word] of [[0, "today"], [-86400000, "yesterday"], [86400000, "tomorrow"]]) {
      if (key === dayKey(new Date(now.getTime() + shift))) return word;
    }
    return usual();
  };
  const tokens = {
    date_num: () => dayKey(date),
    date_slash: () => dayKey(date).replaceAll("-", "/"),
    date: () => format({ ...day, year: "numeric" }).format(date),
    date_short: () => format({ day: "numeric", month: "short", year: "numeric" }).format(date),
    date_long: () => format({ weekday: "long", ...day, year: "numeric" }).format(date),
    time: () => clockTime(date),
    time_secs: () => clockSeconds(date),
    ago: () => {
      const distance = (now.getTime() - date.getTime()) / 1000;
      return distance >= 0 ? `${span(distance)} ago` : `in ${span(distance)}`;
    },
  };
  for (const name of ["date", "date_short", "date_long"]) {
    tokens[`${name}_pretty`] = () => relative(tokens[name]);
  }
  tokens.day_divider_pretty = () => relative(() => format({ weekday: "long", ...day }).format(date));
  return pattern.replace(/\{(\w+)\}/g, (whole, name) => tokens[name]?.() ?? whole);
}
