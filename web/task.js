// One export: where it stands and why, its chunks, its signature, its files.

import * as api from "./api.js";
import { chunksPart } from "./chunks.js";
import { download, verify } from "./commands.js";
import { deeds, renewal } from "./deeds.js";
import { button, h, onDo, say, update } from "./dom.js";
import { filesPart } from "./files.js";
import { actions, beginWith, menu, progress, refusal, runnable, time } from "./parts.js";
import { polling } from "./poll.js";
import { PHASES, WARNINGS, duration, format, look, lookOf, nameOf, needs, place, state, title, what, why } from "./words.js";

/** For so many seconds after the view is opened, or something is done, the task is asked for each second. */
const EAGER = 20;

/** Shows the export; the answer stops it. */
export function taskView(root, app, id) {
  let task = null;
  let etag = null;
  let problem = null;
  let eagerUntil = Date.now() + 1000 * EAGER;
  let box = null;
  const chunks = chunksPart(app, id, () => task);
  const files = filesPart(app, id, () => task);

  const poll = polling(async (signal) => {
    try {
      const answer = await api.get(app, id, { etag, signal });
      problem = null;
      if (!answer.isSame) {
        etag = answer.etag;
        take(answer.json);
      } else draw();
      if (task.status !== "InProgress") return task.phase === "succeeded" ? null : 60;
      return Date.now() < eagerUntil ? 1 : (answer.retryAfter ?? 5);
    } catch (error) {
      if (error.name === "AbortError") throw error;
      if (error.status === 401) return null;
      problem = error;
      draw();
      return error.isPassing ? 5 : null;
    }
  });

  function take(json) {
    if (task && task.phase !== json.phase) say(`${title(json)}: ${nameOf(json.phase)}.`);
    task = json;
    document.title = `${title(task)} · Engagement Export`;
    draw();
    chunks.refresh();
    files.refresh();
  }

  /** A new signature can be given until the task has succeeded. Its box stays the same element, whatever is drawn around it. */
  function showBox() {
    const place = section.querySelector("[data-key=box]");
    if (place) box ??= renewal(app, task, changed);
    else {
      box?.close();
      box = null;
    }
    if (place && place.lastChild !== box.element) place.append(box.element);
    if (place && needs(task) === "renew") place.open = true;
  }

  function draw() {
    if (!task) {
      const said = problem ? refusal(problem, button("again", "Try again")) : h("p.note", {}, "Loading…");
      // The heading stays the same element, because it has the focus.
      update(section, back(app), headOf("Export"), said);
      return;
    }
    update(
      section,
      back(app),
      head(app, task),
      h("div", { "data-key": "problem", role: "alert" }, problem && refusal(problem, button("again", "Try again"))),
      standing(task),
      warnings(task),
      h("div.two", { "data-key": "two" }, timeline(task), signature(task)),
      chunks.element,
      files.element,
      howToVerify(app, task),
      facts(task),
    );
    showBox();
  }

  const changed = (json) => {
    // What an answer to a change leaves out stays as it was until the task is asked for.
    eagerUntil = Date.now() + 1000 * EAGER;
    etag = null;
    take({ ...task, errorDetails: undefined, ...json });
    poll.now();
  };
  const section = h("section.task-view", { "data-own": "" });
  onDo(section, {
    ...deeds(app, () => task, changed),
    ...chunks.deeds,
    ...files.deeds,
    again: () => poll.now(),
    like: () => beginWith(task),
    "like-day": ({ dataset: { day } }) => {
      beginWith({ ...task, startDate: day, endDate: day });
      location.hash = `${app}/new`;
    },
  });
  update(root, section);
  draw();
  poll.now();
  return () => {
    poll.stop();
    chunks.stop();
    files.stop();
    box?.close();
  };
}

const headOf = (text, ...actions) =>
  h("div.head", { "data-key": "head" }, h("h1", { tabindex: "-1" }, text), h("div.actions", {}, ...actions));

function head(app, task) {
  const others = actions(task).filter((one) => one && one.dataset.do !== "renew");
  return headOf(title(task), others, h("a.button.quiet", { href: `#${app}/new`, "data-do": "like" }, "Export again"), menu(task));
}

const back = (app) => h("p.back", {}, h("a", { href: `#${app}` }, "← All exports"));

/** Where it stands, large; and when it waits or has ended badly, why. */
function standing(task) {
  return h(
    "div.card.standing",
    { "data-look": look(task), "data-key": "standing" },
    h("p.state", {}, h("span.dot", { "aria-hidden": "true" }), h("strong", {}, state(task))),
    h("p.note", {}, PHASES[task.phase]?.says),
    progress(task),
    task.errorDetails && h("p.reason", {}, why(task)),
    needs(task) === "renew" && h("p", {}, h("strong", {}, "To go on: "), "give it a new signature of the same container, below."),
    task.phase === "incomplete" &&
      h("p", {}, h("strong", {}, "To go on: "), "retry what is missing. The files that are there stay as they are."),
  );
}

function facts(task) {
  const filter = task.options.resolved.filter;
  const rows = [
    ["Data", what(task)],
    [
      "Format",
      `${format(task)}${task.options.resolved.compression && task.options.resolved.compression !== "none" ? `, ${task.options.resolved.compression}` : ""}`,
    ],
    ["Columns", task.options.asked.columns?.join(", ")],
    ["Filter", filter && JSON.stringify(filter)],
    ["Container", h("span", { title: task.container }, place(task.container))],
    ["Asked by", task.askedBy],
    ["Created", time(task.dateCreated)],
    ["Id", h("code", {}, task.id)],
  ];
  return h(
    "dl.facts.wide",
    { "data-key": "facts" },
    rows.filter(([, value]) => value).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
  );
}

function warnings(task) {
  if (!task.warnings) return null;
  const shown = task.warnings.map((warning) =>
    h("li", {}, h("p", {}, warning.message), WARNINGS[warning.code] && h("p", {}, h("strong", {}, WARNINGS[warning.code]))),
  );
  return h("ul.card.warnings", { "data-key": "warnings", "aria-label": "Warnings" }, shown);
}

const span = (seconds) => (seconds < 1 ? "less than a second" : duration(seconds));

/** The phases that it came into, each with how long it was there. */
function timeline(task) {
  const steps = task.history ?? [];
  const shown = steps.map(({ phase, since }, at) => {
    const next = steps[at + 1]?.since;
    const took = since && next ? span((new Date(next) - new Date(since)) / 1000) : null;
    return h(
      "li",
      { "data-look": lookOf(phase) },
      h("span.dot", { "aria-hidden": "true" }),
      h("span", {}, nameOf(phase)),
      h("span.note", {}, time(since), took && `, for ${took}`),
    );
  });
  return h("div", { "data-key": "timeline" }, h("h2", {}, "What happened"), h("ol.timeline", {}, shown));
}

/** The clock of the signature, and the place of the box for a new one. */
function signature(task) {
  const isNeeded = needs(task) === "renew";
  const isOfUse = !["succeeded", "cancelling", "finishing"].includes(task.phase);
  return h(
    "div",
    { "data-key": "signature", class: isNeeded ? "card needed" : "" },
    h("h2", {}, isNeeded ? "It needs a new signature" : "Signature"),
    h("p", {}, clock(task)),
    isOfUse && h("p.note", {}, `Of ${place(task.container)}. With a new one, the export goes on from the files that it has.`),
    isOfUse && h("details", { "data-key": "box", "data-own": "" }, h("summary", {}, "Give it a new signature")),
  );
}

function clock(task) {
  if (task.phase === "succeeded") return "The service has erased it: the export is complete.";
  if (task.status !== "InProgress") return "The service keeps it, encrypted, for a retry.";
  if (!task.credentialExpires) return "It does not say itself when it ends.";
  const left = (new Date(task.credentialExpires) - Date.now()) / 1000;
  const at = time(task.credentialExpires);
  return left > 0 ? ["It lasts until ", at, `, ${duration(left)} from now.`] : ["It ended at ", at, "."];
}

function howToVerify(app, task) {
  if (!task.manifestUrl) return null;
  return h(
    "div",
    { "data-key": "verify" },
    h("h2", {}, "Download and verify"),
    h(
      "p",
      {},
      "Both need a URL of the container that may read and list, in READ_URL. Each file is compared with the manifest while it comes: size, SHA-256, CRC-64, rows.",
    ),
    runnable(download(app, task.id), "the command that downloads"),
    runnable(verify(app, task.id), "the command that verifies"),
    h("p.note", {}, "The manifest: ", h("code", {}, task.manifestUrl)),
  );
}
