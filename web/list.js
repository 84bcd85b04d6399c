// The list of an app's exports, the newest first.

import * as api from "./api.js";
import { keepFilters, remember } from "./apps.js";
import { deeds } from "./deeds.js";
import { button, h, onDo, say, update } from "./dom.js";
import { KINDS } from "./kinds.js";
import { actions, menu, progress, refusal, refusalOfPoll, time } from "./parts.js";
import { polling } from "./poll.js";
import { own, told } from "./texts.js";
import { cut, format, look, nameOf, place, state, title, what, why } from "./words.js";

const STATES = [
  ["", "any state"],
  ["Queued", "not begun"],
  ["Started", "at work, or waiting"],
  ["Succeeded", "complete"],
  ["Failed", "failed, incomplete, cancelled"],
];
const SINCE = [
  ["", "any time"],
  ["1", "the last day"],
  ["7", "the last 7 days"],
  ["30", "the last 30 days"],
];
const TYPES = new Map(Object.values(KINDS).map((kind) => [kind.type, kind.type === "Push" ? "Push feedback" : kind.title]));
const FILTERS = [
  ["state", "State", STATES],
  ["exportType", "Data", [["", "all data"], ...TYPES]],
  ["since", "Created", SINCE],
];

/** The most characters of a text of somebody in the list; the export's own view has all of it. */
const MOST = 60;
const MOST_OF_REASON = 300;

/** How many seconds pass until the list is asked for again, with an export at work and without. */
const BUSY = 5;
const IDLE = 20;

/** Shows the list, by the filters of its address; the answer stops it. */
export function listView(root, app, query) {
  const pages = [{ query: null, etag: null, tasks: [], next: null }];
  const known = ([name, , options]) => [name, options.find(([value]) => value === query.get(name))?.[0] ?? ""];
  const filters = Object.fromEntries(FILTERS.map(known));
  let problem = null;
  let older = null;
  let isFirst = true;
  const all = () => [...new Map(pages.flatMap((page) => page.tasks).map((task) => [task.id, task])).values()];
  const asked = () => ({
    ...(filters.state && { state: filters.state }),
    ...(filters.exportType && { exportType: filters.exportType }),
    ...(filters.since && { createdAfter: new Date(Date.now() - filters.since * 86_400_000).toISOString() }),
  });

  async function load(page, signal) {
    page.query ??= asked();
    const answer = await api.list(app, page.query, { etag: page.etag, signal });
    // Not before the service knows it: a link alone must not change where the page begins.
    remember(app);
    if (answer.isSame) return;
    announce(page.tasks, answer.json.value);
    Object.assign(page, { etag: answer.etag, tasks: answer.json.value, next: api.queryOf(answer.json.nextLink) });
  }

  const poll = polling(async (signal) => {
    try {
      const isBusy = (page) => page.tasks.some((task) => task.status === "InProgress");
      for (const page of pages) if (page === pages[0] || isBusy(page)) await load(page, signal);
      problem = null;
    } catch (error) {
      if (error.name === "AbortError") throw error;
      if (error.status === 401) return null;
      problem = error;
    }
    draw();
    if (problem) return problem.isPassing ? 10 : null;
    return all().some((task) => task.status === "InProgress") ? BUSY : IDLE;
  });

  function draw() {
    update(body, problem && refusalOfPoll(problem), ...shown());
    if (isFirst) performance.mark("first list");
    isFirst = false;
  }

  function shown() {
    const tasks = all();
    if (tasks.length === 0) return problem ? [] : [Object.values(filters).some(Boolean) ? nothingFits() : nothingYet(app)];
    const next = pages.at(-1).next;
    return [
      h(
        "ul.tasks",
        {},
        tasks.map((task) => row(app, task)),
      ),
      next && h("p", {}, button("more", "Show older exports", { class: "quiet" })),
      next && older && refusal(older),
    ];
  }

  const restart = () => {
    keep();
    pages.splice(0, pages.length, { query: null, etag: null, tasks: [], next: null });
    poll.now();
  };
  const body = h("div", {}, h("p.note", {}, "Loading…"));
  const bar = h("div.filters", { "data-own": "", role: "search", "aria-label": "Filters" });
  bar.addEventListener("change", ({ target }) => {
    filters[target.name] = target.value;
    restart();
  });
  update(
    root,
    h(
      "section",
      {},
      h("div.head", {}, h("h1", { tabindex: "-1" }, "Exports"), h("a.button.primary", { href: `#${app}/new` }, "New export")),
      bar,
      body,
    ),
  );
  const changed = (task) => {
    for (const page of pages) page.tasks = page.tasks.map((known) => (known.id === task.id ? { ...known, ...task } : known));
    draw();
    poll.now();
  };
  onDo(root.firstChild, {
    ...deeds(app, (id) => all().find((task) => task.id === id), changed),
    again: () => poll.now(),
    clear: () => {
      for (const select of bar.querySelectorAll("select")) [select.value, filters[select.name]] = ["", ""];
      restart();
      bar.querySelector("select").focus();
    },
    more: async (element) => {
      element.setAttribute("aria-disabled", "true");
      const page = { query: pages.at(-1).next, etag: null, tasks: [], next: null };
      try {
        await load(page);
        pages.push(page);
        older = null;
      } catch (error) {
        older = error;
        say(error.message.replaceAll("`", ""));
      }
      draw();
    },
  });
  /** The filters stand in the address, so that they are there again when one comes back. */
  function keep() {
    const set = new URLSearchParams(Object.entries(filters).filter(([, value]) => value));
    const query = set.size > 0 ? `?${set}` : "";
    keepFilters(app, query);
    history.replaceState(history.state, "", `#${app}${query}`);
    update(bar, ...filterBar(filters));
  }
  keep();
  poll.now();
  return poll.stop;
}

/** Says which exports came into another phase. */
function announce(before, now) {
  const phases = new Map(before.map((task) => [task.id, task.phase]));
  const moved = now.filter((task) => phases.has(task.id) && phases.get(task.id) !== task.phase);
  if (moved.length > 0) say(moved.map((task) => `${title(task)}: ${nameOf(task.phase)}.`).join(" "));
}

/** A field for each filter, and once one is set, a button for none. */
const filterBar = (filters) => [
  FILTERS.map(([name, label, options]) =>
    h(
      "div",
      { "data-key": name },
      h("label", { for: `filter-${name}` }, label),
      h(
        `select#filter-${name}`,
        { name },
        options.map(([value, text]) => h("option", { value, selected: value === filters[name] }, text)),
      ),
    ),
  ),
  Object.values(filters).some(Boolean) && button("clear", "Clear", { class: "quiet", "aria-label": "Clear the filters" }),
];

/** An export in the list. */
function row(app, task) {
  const facts = [
    task.description && what(task),
    format(task),
    own(place(task.container), MOST),
    task.askedBy && ["asked by ", own(task.askedBy, MOST)],
    time(task.dateCreated),
  ];
  const isTold = task.errorDetails && task.phase !== "cancelled";
  return h(
    "li.task",
    { "data-key": task.id, "data-look": look(task) },
    h(
      "div.what",
      {},
      h("h2", {}, h("a", { href: `#${app}/${task.id}` }, own(title(task)))),
      h(
        "p.facts",
        {},
        facts.filter(Boolean).map((fact, at) => [at > 0 && " · ", fact]),
      ),
      isTold && h("p.reason", {}, told(cut(why(task), MOST_OF_REASON))),
    ),
    h("div.how", {}, h("p.state", {}, h("span.dot", { "aria-hidden": "true" }), state(task)), progress(task)),
    h("div.actions", {}, ...actions(task), menu(task)),
  );
}

function nothingYet(app) {
  return h(
    "div.empty",
    {},
    h("h2", {}, "No export yet"),
    h("p", {}, "An export writes the raw data of this app as files into your own Azure Storage container. It takes three things:"),
    h(
      "ol",
      {},
      h("li", {}, "what data, and of which days,"),
      h("li", {}, "the URL of a container with a signature (SAS) that may write; the form says how to make one,"),
      h("li", {}, "a format, such as Parquet."),
    ),
    h("p", {}, h("a.button.primary", { href: `#${app}/new` }, "Make the first export")),
  );
}

const nothingFits = () => h("div.empty", {}, h("h2", {}, "No export fits these filters"), h("p", {}, button("clear", "Show all exports")));
