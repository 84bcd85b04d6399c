// The files of an export as a table, its rejects and what it ignored, each in a tab.

import { button, h, update } from "./dom.js";
import { refusal } from "./parts.js";
import { reading } from "./reading.js";
import { own } from "./texts.js";
import { bytes, counted, number } from "./words.js";

/** The most rows of a table that are shown at once. */
const PAGE = 50;

/** How many milliseconds pass at least between two readings, for each thousand files. */
const REST = 5000;

/** The columns: what each is called, what it is sorted by, and what stands in it. */
const COLUMNS = {
  rows: [
    ["name", "File", (file) => file.name, (file) => h("code", {}, own(short(file.name)))],
    ["rows", "Rows", (file) => file.rows, (file) => number(file.rows)],
    ["bytes", "Size", (file) => file.bytes, (file) => bytes(file.bytes)],
    ["time", "First and last row", (file) => file.minTimestamp ?? file.day ?? "", range],
    ["sha256", "SHA-256", (file) => file.sha256, hash],
  ],
  rejected: [
    ["name", "File", (file) => file.name, (file) => h("code", {}, own(short(file.name)))],
    ["recordsRejected", "Records", (file) => file.recordsRejected, (file) => number(file.recordsRejected)],
    ["bytes", "Size", (file) => file.bytes, (file) => bytes(file.bytes)],
    ["sha256", "SHA-256", (file) => file.sha256, hash],
  ],
};
const NUMBERS = ["rows", "bytes", "recordsRejected"];

/** The part of the view that shows the files of a task. */
export function filesPart(app, id, taskOf) {
  const element = h("div", { "data-key": "files", "data-own": "" });
  const table = { by: "name", isDown: false, search: "", shown: PAGE };
  let tab = "rows";
  let files = null;
  let problem = null;
  const { refresh, stop } = reading(app, id, "files", {
    rest: REST,
    isAtWork: () => taskOf().status === "InProgress",
    ended: (read, error) => {
      problem = error;
      if (!error) files = read;
      draw();
    },
  });

  function draw() {
    if (!files) {
      update(element, h("h2", {}, "Files"), problem && refusal(problem));
      return;
    }
    const ignored = taskOf().ignored;
    const tabs = {
      rows: `Files (${number(files.filter((file) => file.kind === "rows").length)})`,
      rejected: `Rejects (${number(files.filter((file) => file.kind === "rejected").length)})`,
      ignored: `Ignored (${number(ignored?.objects ?? 0)})`,
    };
    const list = h(
      "div.tabs",
      { role: "tablist", "aria-label": "Files" },
      Object.entries(tabs).map(([name, text]) =>
        h(
          `button#tab-${name}`,
          {
            type: "button",
            role: "tab",
            "data-do": "tab",
            "data-tab": name,
            "aria-controls": "tab-panel",
            "aria-selected": String(name === tab),
            tabindex: name === tab ? "0" : "-1",
          },
          text,
        ),
      ),
    );
    const panel = h(
      "div#tab-panel",
      { role: "tabpanel", "aria-labelledby": `tab-${tab}`, tabindex: "0" },
      tab === "ignored" ? ofIgnored(ignored) : ofFiles(),
    );
    update(element, h("h2", {}, "Files"), problem && refusal(problem), list, panel);
  }

  function ofFiles() {
    const all = files.filter((file) => file.kind === tab);
    if (all.length === 0)
      return h(
        "p.note",
        {},
        tab === "rows"
          ? taskOf().status === "InProgress"
            ? "No chunk with rows is done yet."
            : "There is none, because there is no row."
          : "No record was rejected.",
      );
    const [, , key] = COLUMNS[tab].find(([name]) => name === table.by) ?? COLUMNS[tab][0];
    const fits = all.filter((file) => `${file.name} ${file.day ?? ""} ${file.sha256}`.toLowerCase().includes(table.search.toLowerCase()));
    const compare = (one, other) => (key(one) < key(other) ? -1 : key(one) > key(other) ? 1 : 0);
    fits.sort((one, other) => (table.isDown ? -1 : 1) * compare(one, other));
    const more = fits.length - table.shown;
    return [
      tab === "rejected" &&
        h("p.note", {}, "Each file has a line for each record that could not be exported: where it stood, why, and the record itself."),
      all.length > 8 && searchField(),
      h(
        "p.note",
        { role: "status" },
        table.search ? `${counted(fits.length, "file")} of ${number(all.length)}` : counted(all.length, "file"),
      ),
      h(
        "div.scroll",
        { tabindex: "0", role: "group", "aria-label": "The table of files" },
        h("table", {}, head(), h("tbody", {}, fits.slice(0, table.shown).map(row))),
      ),
      more > 0 && button("more-files", `Show ${number(Math.min(more, PAGE))} more of ${number(more)}`, { class: "quiet" }),
    ];
  }

  const head = () =>
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        COLUMNS[tab].map(([name, text]) => {
          const sort = name === table.by ? (table.isDown ? "descending" : "ascending") : "none";
          return h(
            "th",
            { scope: "col", "aria-sort": sort, class: NUMBERS.includes(name) ? "number" : "" },
            button("sort", [text, h("span", { "aria-hidden": "true" }, { ascending: " ↑", descending: " ↓", none: "" }[sort])], {
              "data-by": name,
            }),
          );
        }),
      ),
    );

  const row = (file) =>
    h(
      "tr",
      { "data-key": file.name },
      COLUMNS[tab].map(([name, , , shown], at) =>
        h(
          at === 0 ? "th" : "td",
          { scope: at === 0 && "row", class: NUMBERS.includes(name) ? "number" : "", title: at === 0 && file.name },
          shown(file),
        ),
      ),
    );

  const searchField = () =>
    h(
      "div.search",
      { "data-key": "search" },
      h("label", { for: "search-files" }, "Search by name, day or SHA-256"),
      h("input#search-files", { type: "search", autocomplete: "off" }),
    );

  element.addEventListener("input", (event) => {
    if (event.target.id !== "search-files") return;
    Object.assign(table, { search: event.target.value, shown: PAGE });
    draw();
  });
  element.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step || event.target.role !== "tab") return;
    const names = ["rows", "rejected", "ignored"];
    choose(names[(names.indexOf(tab) + step + names.length) % names.length]);
    element.querySelector(`#tab-${tab}`).focus();
  });
  const choose = (name) => {
    tab = name;
    Object.assign(table, { by: "name", isDown: false, search: "", shown: PAGE });
    const field = element.querySelector("#search-files");
    if (field) field.value = "";
    draw();
  };
  return {
    element,
    refresh,
    deeds: {
      tab: ({ dataset }) => choose(dataset.tab),
      sort: ({ dataset: { by } }) => {
        Object.assign(table, { by, isDown: table.by === by && !table.isDown });
        draw();
      },
      "more-files": () => {
        table.shown += PAGE;
        draw();
      },
      "copy-hash": async ({ dataset: { hash } }) => (await import("./dialogs.js")).copy(hash, "the SHA-256"),
    },
    stop,
  };
}

/** The part of a name that differs: behind the type and the task's id. */
const short = (name) => name.replace(/^(.*\/)?[A-Z][a-z]+\/[0-9a-f-]{36}\//, "");

function hash(file) {
  const name = short(file.name);
  return [
    h("code", { title: file.sha256 }, `${file.sha256.slice(0, 10)}…`),
    " ",
    button("copy-hash", "Copy", { class: "quiet small", "data-hash": file.sha256, "aria-label": `Copy the SHA-256 of ${name}` }),
  ];
}

function range(file) {
  if (!file.minTimestamp) return file.day ?? "–";
  const [first, last] = [file.minTimestamp, file.maxTimestamp].map((at) =>
    at.replace("T", " ").replace(/(:\d\d)(\.\d+)?(Z|\+00:00)$/, "$1"),
  );
  return first.slice(0, 10) === last.slice(0, 10) ? `${first} – ${last.slice(11)}` : `${first} – ${last}`;
}

function ofIgnored(ignored) {
  if (!ignored) return h("p.note", {}, "Nothing in the folders that this export reads was left out.");
  const more = ignored.objects - ignored.first.length;
  return [
    h(
      "p",
      {},
      `${counted(ignored.objects, "object")} with ${bytes(ignored.bytes)} in the folders that this export reads were not read, because of their names or because they are empty. Ask the operator whether they hold records.`,
    ),
    h(
      "ul.plain",
      {},
      ignored.first.map((name) => h("li", {}, h("code", {}, own(name)))),
    ),
    more > 0 && h("p.note", {}, `And ${number(more)} more.`),
  ];
}
