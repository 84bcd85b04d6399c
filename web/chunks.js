// The chunks of an export, as a grid: one square each, or of as many as fit when there are more than 500.

import { h, update } from "./dom.js";
import { refusal } from "./parts.js";
import { reading } from "./reading.js";
import { told } from "./texts.js";
import { bytes, counted, days, number } from "./words.js";

/** The most squares of the grid. */
const MOST = 500;

/** How many milliseconds pass at least between two readings of all chunks, for each thousand of them. */
const REST = 4000;

/** The states of a chunk by what they look like, the most telling last. */
const LOOKS = {
  pending: "open",
  cancelled: "open",
  recorded: "done",
  running: "running",
  prepared: "running",
  parked: "waiting",
  failed: "failed",
};
const WORDS = {
  open: "not begun",
  done: "done",
  running: "running",
  waiting: "waiting for a signature",
  failed: "failed",
  lacking: "done, without some objects",
};
const ORDER = ["done", "open", "running", "waiting", "lacking", "failed"];

/** The part of the view that shows the chunks of a task. */
export function chunksPart(app, id, taskOf) {
  const element = h("div", { "data-key": "chunks", "data-own": "" });
  let chunks = null;
  let problem = null;
  let chosen = 0;
  const { refresh, stop } = reading(app, id, "chunks", {
    rest: REST,
    isAtWork: () => taskOf().status === "InProgress",
    keep: kept,
    // The first reading is shown as it comes.
    came: (read) => {
      if (chunks && read.length <= chunks.length) return;
      chunks = sorted(read);
      draw();
    },
    ended: (read, error) => {
      problem = error;
      if (!error) chunks = sorted(read);
      draw();
    },
  });

  function draw() {
    if (!chunks?.length) {
      const none =
        chunks &&
        h(
          "p.note",
          {},
          taskOf().status === "InProgress"
            ? "There is none yet: the source is being listed."
            : "There is none: the source holds nothing of it.",
        );
      update(element, h("h2", {}, "Chunks"), problem ? refusal(problem) : none);
      return;
    }
    const squares = grouped(chunks);
    chosen = Math.min(chosen, squares.length - 1);
    const grid = h(
      "div.grid",
      {
        role: "listbox",
        tabindex: "0",
        "data-do": "choose",
        "aria-label": `Chunks; the arrow keys choose one`,
        "aria-activedescendant": `square-${chosen}`,
      },
      squares.map((square, at) =>
        h(`div#square-${at}.square`, {
          role: "option",
          "data-at": at,
          "data-look": square.look,
          "aria-selected": String(at === chosen),
          "aria-label": inWords(square),
        }),
      ),
    );
    update(
      element,
      h("h2", {}, "Chunks"),
      summary(chunks),
      grid,
      h("p.note.chosen", {}, told(inWords(squares[chosen]))),
      problem && refusal(problem),
      h("div", { "data-key": "troubles", "data-own": "" }),
    );
    showTroubles();
  }

  /** Why something is missing is said where something is. */
  async function showTroubles() {
    const wrong = chunks.filter(({ look }) => ["failed", "lacking"].includes(look));
    const place = element.querySelector("[data-key=troubles]");
    if (wrong.length === 0) update(place);
    else update(place, (await import("./troubles.js")).troubles(wrong, taskOf()));
  }

  const choose = (at) => {
    chosen = Math.max(0, Math.min(at, grouped(chunks).length - 1));
    draw();
  };
  element.addEventListener("keydown", (event) => {
    if (!event.target.matches(".grid")) return;
    const perRow = rowLength(event.target);
    const to = { ArrowRight: chosen + 1, ArrowLeft: chosen - 1, ArrowDown: chosen + perRow, ArrowUp: chosen - perRow, Home: 0, End: MOST }[
      event.key
    ];
    if (to === undefined) return;
    event.preventDefault();
    choose(to);
  });
  return {
    element,
    refresh,
    deeds: { choose: (grid, event) => event.target.dataset.at && choose(Number(event.target.dataset.at)) },
    stop,
  };
}

const sorted = (read) => [...read].sort((one, other) => one.chunk - other.chunk);

/** What is kept of a chunk: its sources only where something is wrong with it. */
function kept({ chunk, state, attempt, day, rows, bytes: size, reason, missing, sources }) {
  const look = state === "recorded" && missing ? "lacking" : (LOOKS[state] ?? "open");
  const isWrong = look === "failed" || look === "lacking" || reason;
  return {
    chunk,
    state,
    look,
    attempt,
    day,
    rows,
    size,
    reason,
    missing,
    sources: isWrong ? sources.map((it) => it.object ?? it.partition) : [],
  };
}

/** The squares of the grid: each of one chunk, or of several that follow each other. */
export function grouped(chunks) {
  const per = Math.ceil(chunks.length / MOST);
  const squares = [];
  for (let at = 0; at < chunks.length; at += per) {
    const of = chunks.slice(at, at + per);
    const look = of
      .map((chunk) => chunk.look)
      .sort((one, other) => ORDER.indexOf(one) - ORDER.indexOf(other))
      .at(-1);
    squares.push({ look: of.every((chunk) => chunk.look === look) ? look : worst(of, look), of });
  }
  return squares;
}

/** Squares of several chunks show trouble first, and else that something is still to be done. */
const worst = (of, look) => (look === "open" && of.some((chunk) => chunk.look === "done") ? "running" : look);

/** A square in words. */
function inWords({ of }) {
  const [first] = of;
  if (of.length > 1) {
    const said = ORDER.map((look) => [look, of.filter((chunk) => chunk.look === look).length]).filter(([, many]) => many > 0);
    return `Chunks ${number(first.chunk)} to ${number(of.at(-1).chunk)}: ${said.map(([look, many]) => `${number(many)} ${WORDS[look]}`).join(", ")}`;
  }
  const facts = [
    first.day && days(first.day, first.day),
    first.rows !== undefined && counted(first.rows, "row"),
    first.size !== undefined && bytes(first.size),
    first.attempt > 1 && `attempt ${first.attempt}`,
  ];
  const reason = first.state === "cancelled" ? "cancelled" : WORDS[first.look];
  return `Chunk ${number(first.chunk)}: ${[reason, ...facts].filter(Boolean).join(", ")}${first.reason ? `. ${first.reason}` : ""}`;
}

function summary(chunks) {
  const counts = ["done", "lacking", "running", "waiting", "open", "failed"]
    .map((look) => [look, chunks.filter((chunk) => chunk.look === look).length])
    .filter(([, many]) => many > 0);
  return h(
    "ul.legend",
    {},
    counts.map(([look, many]) =>
      h("li", { "data-look": look }, h("span.square", { "aria-hidden": "true" }), `${number(many)} ${WORDS[look]}`),
    ),
  );
}

/** How many squares a row of the grid has, as it is laid out. */
function rowLength(grid) {
  const [first, ...rest] = grid.children;
  const next = rest.findIndex((square) => square.offsetTop > first.offsetTop);
  return next < 0 ? rest.length + 1 : next + 1;
}
