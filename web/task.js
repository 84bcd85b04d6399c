// One export: where it stands and why, its chunks, its signature, its files.

import * as api from "./api.js";
import { listOf } from "./apps.js";
import { chunksPart } from "./chunks.js";
import { deeds } from "./deeds.js";
import { h, onDo, say, update } from "./dom.js";
import { filesPart } from "./files.js";
import { actions, beginWith, menu, progress, refusalOfPoll, time } from "./parts.js";
import { polling } from "./poll.js";
import { again } from "./reasons.js";
import { own, told } from "./texts.js";
import { PHASES, WARNINGS, duration, format, look, lookOf, nameOf, needs, place, state, title, warned, what, why } from "./words.js";

/** The most characters of a fact that are shown at first. */
const MOST = 200;

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

  /**
   * A new signature can be given until the task has succeeded. Its box is made when it is opened, and stays the same element, whatever is
   * drawn around it.
   */
  async function showBox() {
    const place = section.querySelector("[data-key=box]");
    if (!place) {
      box?.close();
      box = null;
      return;
    }
    if (needs(task) === "renew") place.open = true;
    if (!place.open || place.lastChild === box?.element) return;
    const { renewal } = await import("./renewal.js");
    if (!place.isConnected) return;
    box ??= renewal(app, task, changed);
    place.append(box.element);
  }

  /** What is there to verify is said once the files are. */
  async function showVerifying() {
    const place = section.querySelector("[data-key=verify]");
    if (place && !place.hasChildNodes()) update(place, ...(await import("./verifying.js")).howToVerify(task));
  }

  function draw() {
    if (!task) {
      const said = problem ? refusalOfPoll(problem) : h("p.note", {}, "Loading…");
      // The heading stays the same element, because it has the focus.
      update(section, back(app), headOf("Export"), said);
      return;
    }
    update(
      section,
      back(app),
      head(app, task),
      h("div", { "data-key": "problem", role: "alert" }, problem && refusalOfPoll(problem)),
      standing(task),
      warnings(task),
      h("div.two", { "data-key": "two" }, timeline(task), signature(task)),
      chunks.element,
      files.element,
      task.manifestUrl && h("div", { "data-key": "verify", "data-own": "" }),
      facts(task),
    );
    showBox();
    showVerifying();
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
  // When it is opened, and not when it was: the event does not bubble.
  section.addEventListener("toggle", ({ target }) => target.dataset.key === "box" && showBox(), true);
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
  h("div.head", { "data-key": "head" }, h("h1", { tabindex: "-1" }, own(text)), h("div.actions", {}, ...actions));

function head(app, task) {
  const others = actions(task).filter((one) => one && one.dataset.do !== "renew");
  return headOf(title(task), others, h("a.button.quiet", { href: `#${app}/new`, "data-do": "like" }, "Export again"), menu(task));
}

const back = (app) => h("p.back", {}, h("a", { href: `#${listOf(app)}` }, "← All exports"));

/** Where it stands, large; and when it waits or has ended badly, why. */
function standing(task) {
  return h(
    "div.card.standing",
    { "data-look": look(task), "data-key": "standing" },
    h("p.state", {}, h("span.dot", { "aria-hidden": "true" }), h("strong", {}, state(task))),
    h("p.note", {}, PHASES[task.phase]?.says),
    progress(task),
    task.errorDetails && h("p.reason", {}, told(why(task))),
    onward(task),
  );
}

/** What a person does, so that it goes on. */
function onward(task) {
  const need = needs(task);
  if (!need || task.phase === "cancelled") return null;
  const usual =
    need === "renew"
      ? "give it a new signature of the same container, below."
      : "retry what is missing. The files that are there stay as they are.";
  return h("p", {}, h("strong", {}, "To go on: "), again(task.errorDetails) ?? usual);
}

function facts(task) {
  const filter = task.options.resolved.filter;
  const rows = [
    // Where the heading has but its beginning.
    ["Description", task.description && title(task) !== task.description && own(task.description)],
    ["Data", what(task)],
    [
      "Format",
      `${format(task)}${task.options.resolved.compression && task.options.resolved.compression !== "none" ? `, ${task.options.resolved.compression}` : ""}`,
    ],
    ["Columns", task.options.asked.columns?.join(", ")],
    ["Filter", filter && long(JSON.stringify(filter))],
    ["Container", own(task.container)],
    ["Asked by", task.askedBy && own(task.askedBy)],
    ["Created", [time(task.dateCreated, "seconds"), " UTC"]],
    ["Id", h("code", {}, task.id)],
  ];
  return h(
    "dl.facts.wide",
    { "data-key": "facts" },
    rows.filter(([, value]) => value).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
  );
}

/** A text whose rest is shown when it is asked for. */
const long = (text) =>
  text.length > MOST ? h("details", { "data-key": "long" }, h("summary", {}, own(text, MOST)), own(text)) : own(text);

function warnings(task) {
  if (!task.warnings) return null;
  const shown = task.warnings.map((warning) =>
    h("li", {}, h("p", {}, told(warned(warning.message))), WARNINGS[warning.code] && h("p", {}, h("strong", {}, WARNINGS[warning.code]))),
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
      h("span.note", {}, since && [time(since, "seconds"), " UTC"], took && `, for ${took}`),
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
    isOfUse && h("p.note", {}, "Of ", own(place(task.container)), ". With a new one, the export goes on from the files that it has."),
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
