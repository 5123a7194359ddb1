// Common commands, offered while typing `/drip …`. The bot's own `help` knows them all.

const HINTS = [
  ["help", "everything there is, with examples"],
  ["status", "what runs, what waits, how the numbers do"],
  ["campaign list", "every campaign and its state"],
  ["campaign new \"Welcome\" trigger=tag:lead stop_on_reply=yes", "create a drip campaign"],
  ["campaign show Welcome", "one campaign with its steps"],
  ["campaign activate Welcome", "let it start"],
  ["campaign pause Welcome", "hold it; resume goes on where it stopped"],
  ["campaign resume Welcome", "go on"],
  ["campaign archive Welcome", "put it away"],
  ["step add Welcome after=0m template=welcome first_name={first_name|there}", "add a step with a template"],
  ["step add Welcome after=2d template=followup", "add a step two days later"],
  ["step add Welcome after=5d template=offer 1={first_name|there} 2=10% url=welcome", "a template with positional parameters"],
  ["step remove Welcome 2", "remove a step"],
  ["enroll Welcome tag:demo", "enroll contacts"],
  ["unenroll Welcome +31610000001", "take somebody out"],
  ["enrollments Welcome", "who is in it"],
  ["broadcast new \"Sale\" to=tag:demo template=followup", "create a broadcast"],
  ["broadcast send Sale", "send it"],
  ["broadcast show Sale", "how it goes"],
  ["broadcast list", "every broadcast"],
  ["broadcast pause Sale", "hold it"],
  ["contact add +31612345678 first_name=Ada tags=lead", "add a contact"],
  ["contact show +31610000001", "all about one contact"],
  ["contact find ada", "search contacts"],
  ["contact tag +31610000001 vip", "tag somebody"],
  ["contact optout +31610000001", "no more messages to them"],
  ["template list", "the templates WhatsApp approved"],
  ["template sync", "read the templates again"],
  ["report Welcome", "how a campaign did"],
];

/** At most *limit* hints for what is typed after `/drip `: by beginning first, then by word. */
export function hintsFor(typed, limit = 7) {
  const words = typed.trim().toLowerCase();
  const begins = HINTS.filter(([text]) => text.toLowerCase().startsWith(words));
  const contains = HINTS.filter(([text, about]) => !begins.some(([other]) => other === text)
    && words.split(/\s+/).every((word) => `${text} ${about}`.toLowerCase().includes(word)));
  return [...begins, ...(begins.length === 0 ? contains : [])]
    .filter(([text]) => text.toLowerCase() !== words)
    .slice(0, limit)
    .map(([text, about]) => ({ text, about }));
}
