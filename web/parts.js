// What several views are made of.

import { button, h } from "./dom.js";
import { moment, number, remedy, bytes, counted, expected } from "./words.js";

/** A refusal: what is wrong, what to do, and what to name when asking the operator. */
export function refusal(error, ...actions) {
  const fix = error.status === undefined ? null : remedy(error);
  return h(
    "div.card.failed",
    {},
    h("p", {}, h("strong", {}, error.message)),
    fix && h("p", {}, fix),
    error.requestId && h("p.note", {}, "The request's id: ", h("code", {}, error.requestId)),
    actions.length > 0 && h("p.actions", {}, ...actions),
  );
}

/** A moment, with the day and second of it for who wants to know. */
export const time = (text) => text && h("time", { datetime: text, title: `${text} (UTC)` }, moment(text));

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
    expected(so),
  ];
  return [
    isAtWork && h("progress", { max: "100", value: so.percent, "aria-label": "Chunks that are done" }),
    h("p.figures", {}, figures.filter(Boolean).join(" · ")),
  ];
}

/** What may be done with a task where it stands, as `data-do` and words; the service has the last word. */
export function actions(task) {
  const can = {
    renew: task.phase === "awaiting-credential" || ["queued", "planning", "running", "resuming"].includes(task.phase),
    retry: ["incomplete", "failed", "cancelled"].includes(task.phase),
    cancel: task.status === "InProgress" && !["cancelling", "finishing"].includes(task.phase),
  };
  const of = (action, text, more) => can[action] && button(action, text, { "data-id": task.id, ...more });
  return [
    of("renew", "Renew signature", task.phase === "awaiting-credential" ? { class: "primary" } : { class: "quiet" }),
    of("retry", "Retry", { class: "primary" }),
    of("cancel", "Cancel", { class: "quiet" }),
  ].filter(Boolean);
}

/** A small menu of what can be copied. */
export const copies = (task) =>
  h(
    "details.menu",
    {},
    h("summary", {}, "Copy as"),
    h("div", {}, button("copy-command", "command", { "data-id": task.id }), button("copy-curl", "curl", { "data-id": task.id })),
  );

/** A text to run, with a button that copies it. */
export const runnable = (text, label) =>
  h("div.runnable", {}, h("pre", { tabindex: "0", "aria-label": label }, h("code", {}, text)), button("copy-text", "Copy", { "aria-label": `Copy ${label}` }));
