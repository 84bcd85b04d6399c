// Numbers, moments, states and refusals in words. All times are UTC, as the days of an export are.

import { KINDS, FORMATS, operationOf } from "./kinds.js";

const count = new Intl.NumberFormat("en");
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
const dayOfYear = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
const CLOCKS = {
  minutes: new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: "UTC" }),
  seconds: new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone: "UTC" }),
};

export const number = (value) => count.format(value);
export const counted = (value, one) => `${number(value)} ${value === 1 ? one : `${one}s`}`;

/** Bytes in the unit that leaves few digits, by thousands. */
export function bytes(value) {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  const at = value < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(value) / 3));
  const scaled = value / 1000 ** at;
  return `${at === 0 || scaled >= 100 ? number(Math.round(scaled)) : scaled.toFixed(1)} ${units[at]}`;
}

/** A length of time in its two largest units. */
export function duration(seconds) {
  const units = [
    ["day", 86_400],
    ["h", 3600],
    ["min", 60],
    ["s", 1],
  ];
  let left = Math.max(0, Math.round(seconds));
  const said = [];
  for (const [name, size] of units) {
    const whole = Math.floor(left / size);
    left -= whole * size;
    if (whole > 0 || (name === "s" && said.length === 0)) said.push(name === "day" ? counted(whole, "day") : `${whole} ${name}`);
    else if (said.length > 0) break;
    if (said.length === 2) break;
  }
  return said.join(" ");
}

/** A word of a POSIX shell. */
export const word = (text) => (/^[\w./:=,@%+-]+$/.test(text) ? text : `'${String(text).replaceAll("'", "'\\''")}'`);

/** What cannot be seen, or turns what follows around. Joiners are none of it: emoji and some scripts need them. */
export const HIDDEN = /([\p{Cc}\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb])/u;

/** A character by its number in Unicode, such as U+202E. */
export const numbered = (character) => `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;

/** A text in one line, of which everything is seen. */
export const visible = (text) =>
  String(text)
    .split(HIDDEN)
    .map((piece, at) => (at % 2 === 0 ? piece : piece === "\n" ? " ↵ " : `‹${numbered(piece)}›`))
    .join("");

/** So many characters of a text, of which everything is seen. */
export function cut(text, most = Number.POSITIVE_INFINITY) {
  const all = [...visible(text)];
  return all.length > most ? `${all.slice(0, most).join("").trimEnd()}…` : all.join("");
}

/** A moment: its time, to the minute or the second, and its day unless that is today. */
export function moment(text, to = "minutes", now = new Date()) {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return String(text);
  const isToday = at.toISOString().slice(0, 10) === now.toISOString().slice(0, 10);
  const year = at.getUTCFullYear() === now.getUTCFullYear() ? day : dayOfYear;
  const clock = CLOCKS[to].format(at);
  return isToday ? clock : `${year.format(at)}, ${clock}`;
}

/** Days such as 5–11 Jan 2026. */
export function days(from, to) {
  const [start, end] = [new Date(from), new Date(to)];
  if (Number.isNaN(start.getTime()) || Number.isNaN(end.getTime()) || end < start) return `${from} to ${to}`;
  return from === to ? dayOfYear.format(start) : dayOfYear.formatRange(start, end).replaceAll("\u2009", "");
}

/** What a task exports, such as "Events, 5–11 Jan 2026". */
export function what(task) {
  const title = KINDS[operationOf(task)]?.title ?? task.exportType;
  if (task.startDate) return `${title}, ${days(task.startDate, task.endDate)}`;
  if (task.campaignIds) return `${title} ${task.campaignIds.slice(0, 3).join(", ")}${task.campaignIds.length > 3 ? " …" : ""}`;
  if (task.campaignWindowStart) return `${title}, ${moment(task.campaignWindowStart)} to ${moment(task.campaignWindowEnd)}`;
  return `${title}, as they are now`;
}

/** The most characters of a heading. */
const HEADING = 120;

/** The heading of a task: the beginning of its description, else what it exports. */
export const title = (task) => cut(task.description || what(task), HEADING);

export const format = (task) => FORMATS[task.exportFormat]?.title ?? task.exportFormat;

/** A container without scheme and without the ending of Azure's hosts, which all have. */
export function place(container) {
  const url = URL.canParse(container) ? new URL(container) : null;
  if (!url) return visible(container);
  return `${url.host.replace(/\.blob\.core\.windows\.net$/, "")}${url.pathname}`;
}

/** Each phase: what it is called, what it means, and how it looks. */
export const PHASES = {
  queued: { name: "waits to begin", says: "The service has the request.", look: "quiet" },
  planning: { name: "looks for the data", says: "The source is listed, and cut into chunks.", look: "busy" },
  running: { name: "exports", says: "Chunks are read, written and counted.", look: "busy" },
  "awaiting-credential": { name: "waits for a new signature", says: "Storage refused the signature. Nothing is lost.", look: "waiting" },
  resuming: { name: "goes on", says: "What is not done yet is taken up again.", look: "busy" },
  cancelling: { name: "is being cancelled", says: "Files that are complete stay.", look: "waiting" },
  finishing: { name: "writes the manifest", says: "The counts of all chunks are compared.", look: "busy" },
  succeeded: { name: "complete", says: "Every row is there once; the manifest lists every file.", look: "done" },
  incomplete: { name: "incomplete", says: "Something is missing, and the manifest names it.", look: "failed" },
  failed: { name: "failed", says: "It could not be done.", look: "failed" },
  cancelled: { name: "cancelled", says: "Files that were complete by then stay.", look: "quiet" },
};

export const nameOf = (phase) => PHASES[phase]?.name ?? phase;
export const lookOf = (phase) => PHASES[phase]?.look ?? "quiet";

/** Whether it succeeded, and all the same is hardly what was wanted. */
const isEmpty = (task) => task.phase === "succeeded" && task.progress?.rows === 0;
export const look = (task) => (isEmpty(task) ? "waiting" : lookOf(task.phase));

/** Where a task stands, such as "waits for a new signature since 10:04". */
export function state(task) {
  const name = waitsForService(task) ? "waits to be tried again" : isEmpty(task) ? "complete, without any row" : nameOf(task.phase);
  if (task.status !== "InProgress") return task.dateCompleted ? `${name}, ${moment(task.dateCompleted)}` : name;
  return task.phaseSince ? `${name} since ${moment(task.phaseSince)}` : name;
}

/** Whether a task waits because the service could not go on, and not for a signature. */
const waitsForService = (task) => /to be resumed again/.test(task.errorDetails ?? "");

/** What a task needs of a person to go on: `renew`, `retry`, or nothing. */
export function needs(task) {
  if (task.phase === "awaiting-credential") return waitsForService(task) ? "retry" : "renew";
  return ["incomplete", "failed", "cancelled"].includes(task.phase) ? "retry" : null;
}

/** Why a task waits, or has not succeeded. What the service says to clients of its API of what to send is left to the page's buttons. */
export function why(task) {
  const because = /because (.*?)\. Nothing is lost: send PATCH/s.exec(task.errorDetails ?? "")?.[1];
  return because ? `${because[0].toUpperCase()}${because.slice(1)}.` : task.errorDetails;
}

/** What a warning says, without what a client of the API is to send: the page has a box for it. */
export const warned = (message) => message.replace(/: send PATCH to this task with a new `containerUrl` of the same container\./, ".");

/** When a task that is at work is expected to end. */
export function expected(progress, now = new Date()) {
  if (!progress?.estimatedCompletion) return null;
  const seconds = (new Date(progress.estimatedCompletion) - now) / 1000;
  return seconds < 5 ? "any moment now" : `about ${duration(seconds)} left`;
}

/** What to do about a refusal, by its code or status; the service's own message says what is wrong. */
export function remedy(refusal) {
  const by = {
    0: "Look at your connection.",
    401: "Sign in again.",
    403: "Ask the operator for a grant at this app's path: Reader to look, Contributor to create, renew, retry and cancel.",
    404: "Go back to the list: an export is forgotten after some months.",
    429: "Wait a little: too many requests come at once.",
  };
  const codes = {
    UnknownPath: "Compare the app's path with the one that the operator gave you.",
    TaskAtWork: "It is at work already: there is nothing to retry.",
    TaskSucceeded: "It is complete. Make a new export for other data.",
    NewCredentialNeeded: "Give it a new signature of its container.",
    ContainerUrlOtherContainer: "Make the signature for the container that this export writes into.",
    TaskEnding: "Wait a moment, and look again.",
    TaskFinished: "It has ended already.",
    ContainerNotFound: "Make the container, under exactly this name, before you send this again.",
    UnexpectedAnswer:
      "Something between this page and the service may have answered, such as a proxy or the sign-in of a network. Load the page again; if it stays so, show the operator this.",
  };
  if (codes[refusal.code]) return codes[refusal.code];
  const named = refusal.requestId
    ? "the request's id"
    : `when it was (${moment(new Date(), "seconds")} UTC) and what you did: the answer has no id`;
  if (refusal.status >= 500) return `Try again. If it stays so, tell the operator ${named}.`;
  return by[refusal.status] ?? null;
}

/** Where this page has more of a warning, whose own words say what to do. */
export const WARNINGS = {
  SignatureExpires: "The box for a new signature is below.",
  ObjectsLeftOut: "The tab “Ignored” names them.",
  RecordsRejected: "The tab “Rejects” has the files that hold them.",
};
