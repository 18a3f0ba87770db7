// How things are written for people.

const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const WEEKDAY = new Intl.DateTimeFormat(undefined, { weekday: "long" });
const DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
const DAY_MS = 86_400_000;

/** "+233 24 123 4567"; what is no international number stays as it is. */
export function number(text) {
  const ghana = /^\+233(\d\d)(\d{3})(\d{4})$/.exec(text);
  if (ghana) return `+233 ${ghana[1]} ${ghana[2]} ${ghana[3]}`;
  return text;
}

export const time = (date) => TIME.format(date);

const midnight = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();

/** "Today", "Yesterday", a weekday, or a date. */
export function day(date, now = new Date()) {
  const days = Math.round((midnight(now) - midnight(date)) / DAY_MS);
  if (days <= 0) return "Today";
  if (days === 1) return "Yesterday";
  return days < 7 ? WEEKDAY.format(date) : DAY.format(date);
}

/** The time for today, else the day. */
export const moment = (date) => (day(date) === "Today" ? time(date) : day(date));

export const isNumber = (peer) => /^\+?\d{3,15}$/.test(peer);

/** One or two letters for a picture: a name's initials, "#" for a number. */
export function initials(name) {
  if (isNumber(name)) return "#";
  const words = name.split(/\s+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : words;
  return letters.map((word) => [...word][0].toUpperCase()).join("") || "?";
}

/** A stable choice among six tints for a name. */
export function tint(name) {
  let sum = 0;
  for (const character of name) sum = (sum * 31 + character.codePointAt(0)) % 9973;
  return sum % 6;
}

/** What a message says in one line. */
export function summary(message) {
  if (message.kind === "binary") return `Binary message, ${message.content.length / 2} bytes`;
  return message.content.replace(/\s+/g, " ").trim() || "Empty message";
}

/** The line that sends an SMS to a number through the API. */
export const curl = (to, lineEnd = " \\\n  ") => [
  `curl -u CLIENT_ID:CLIENT_SECRET ${location.origin}/v1/messages`,
  "--data-urlencode 'From=Makola'",
  `--data-urlencode 'To=${to}'`,
  "--data-urlencode 'Content=Hello from Makola'",
  "-d RegisteredDelivery=true",
].join(lineEnd);
