// What several views are made of.

import { Refusal, claims } from "./api.js";
import { appOf } from "./apps.js";
import { button, h } from "./dom.js";
import { exact, told } from "./texts.js";
import { bytes, counted, expected, moment, needs, number, remedy, word } from "./words.js";

/** A refusal: what is wrong, what to do, and what to name when asking the operator. */
export function refusal(problem, ...actions) {
  const error = problem instanceof Error && !(problem instanceof Refusal) ? defect(problem) : problem;
  // The service speaks to clients of its API; the page has another name for the field.
  const said = told(error.message.replace(/`?containerUrl`?/, "The container's URL"));
  const fix = error.status === undefined ? null : remedy(error);
  return h(
    "div.card.failed",
    {},
    h("p", {}, h("strong", {}, said)),
    fix && h("p", {}, fix),
    error.code === "Forbidden" && grant(),
    error.requestId && h("p.note", {}, "The request's id: ", h("code", {}, error.requestId)),
    actions.some(Boolean) && h("p.actions", {}, ...actions),
  );
}

/** What is no answer that says no, but a fault of this page, or of what it was given. */
const defect = ({ name }) => ({ message: `The page cannot show this (${name}). Load it again; if it stays so, tell the operator.` });

/** The same, of what is asked again and again. */
export const refusalOfPoll = (error) =>
  refusal(error, button("again", "Try again"), error.isPassing && h("span.note", {}, "The page asks again by itself."));

/** What the operator runs to let in who asks. */
function grant() {
  const app = appOf(location.hash.slice(1));
  const { sub } = claims();
  const line = `engagement-export-admin grant add --subject ${word(sub ?? "SUBJECT")} --role contributor --path ${word(app ?? "PATH")}`;
  return h("p", {}, "The operator's command for it: ", h("code", {}, line));
}

/** A moment to the minute, or to the second; it has all of it for who wants to know. */
export const time = (text, to) => text && h("time", { datetime: text, title: `${text} (UTC)` }, moment(text, to));

/** How far a task has come: a bar, and figures in words. */
export function progress(task) {
  const { progress: so } = task;
  if (!so) return null;
  const isAtWork = task.status === "InProgress";
  const figures = [
    isAtWork && `${so.percent} %`,
    counted(so.rows, "row"),
    bytes(so.bytes),
    isAtWork && so.rowsPerSecond ? `${number(so.rowsPerSecond)} rows/s` : null,
    isAtWork && expected(so),
  ];
  return [
    isAtWork && h("progress", { max: "100", value: so.percent, "aria-label": "Chunks that are done" }),
    h(
      "p.figures",
      {},
      figures.filter(Boolean).map((figure, at) => [at > 0 && " · ", h("span", {}, figure)]),
    ),
  ];
}

/** What is to be done next with a task, where something is; the service has the last word. */
export function actions(task) {
  const of = (action, text, look) => button(action, text, { "data-id": task.id, class: look });
  const need = needs(task);
  return [
    need === "renew" && of("renew", "Renew signature", "primary"),
    need === "retry" && of("retry", "Retry", task.phase === "cancelled" ? "" : "primary"),
    task.status === "InProgress" && !["cancelling", "finishing"].includes(task.phase) && of("cancel", "Cancel", "quiet"),
  ];
}

/** A small menu of what else can be done. */
export function menu(task) {
  const of = (action, text) => button(action, text, { "data-id": task.id });
  const canRenew = needs(task) !== "renew" && !["succeeded", "cancelling", "finishing"].includes(task.phase);
  return h(
    "details.menu",
    {},
    h("summary", {}, "More"),
    h("div", {}, canRenew && of("renew", "Renew signature"), of("copy-command", "Copy as command"), of("copy-curl", "Copy as curl")),
  );
}

/** A text to run below its heading, with a button that copies it. */
export const runnable = (text, label, heading) =>
  h(
    "div.runnable",
    { "data-key": label },
    h("div.head", {}, heading, button("copy-text", "Copy", { "aria-label": `Copy ${label}` })),
    h("pre", { tabindex: "0", "aria-label": label }, h("code", {}, exact(text))),
  );

/** What the button of a runnable text copies. */
export const runnableOf = (element) => element.closest(".runnable").querySelector("code").textContent;

/** What the next form begins with: an export that is to be made again. */
let like = null;

export function beginWith(task) {
  like = task;
}

/** Takes what the form is to begin with, for once. */
export function beginning() {
  const task = like;
  like = null;
  return task;
}
