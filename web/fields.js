// The parts of the form for a new export. A field is called as the API calls it: what the API says of a field leads to the form's.

import { button, h } from "./dom.js";
import { FORMATS, KINDS } from "./kinds.js";
import { CAMPAIGNS, COMPRESSIONS, OFFERED_FORMATS, OFFERS, smaller } from "./offers.js";

const DAY = 86_400_000;
const isoDay = (time) => new Date(time).toISOString().slice(0, 10);

/** Ranges of whole UTC days that have ended, by what they are called. */
export function presets(now = Date.now()) {
  const today = new Date(now);
  const month = (back) => Date.UTC(today.getUTCFullYear(), today.getUTCMonth() - back, 1);
  return {
    Yesterday: [isoDay(now - DAY), isoDay(now - DAY)],
    "Last 7 days": [isoDay(now - 7 * DAY), isoDay(now - DAY)],
    "Last 30 days": [isoDay(now - 30 * DAY), isoDay(now - DAY)],
    "Last month": [isoDay(month(1)), isoDay(month(0) - DAY)],
  };
}

const choice = (name, value, title, says, isChosen, aside) =>
  h(
    "label.choice",
    {},
    h("input", { type: "radio", name, value, checked: isChosen }),
    h("span", {}, h("strong", {}, title), h("span.note", {}, says), aside && h("span.aside", {}, aside)),
  );

export function kindsPart() {
  const group = (legend, isOf) => [
    h("p.group", {}, legend),
    h(
      "div.choices",
      {},
      Object.entries(KINDS)
        .filter(([, kind]) => isOf(kind))
        .map(([name, kind]) => choice("operation", name, kind.title, OFFERS[name].says, name === "events")),
    ),
  ];
  return h(
    "fieldset",
    {},
    h("legend", {}, "Data"),
    group("What happened, by day", (kind) => kind.of === "days"),
    group("What is known now", (kind) => kind.of !== "days"),
  );
}

export function formatPart() {
  return h(
    "fieldset",
    {},
    h("legend", {}, "Format"),
    h(
      "div.choices.formats",
      {},
      Object.entries(OFFERED_FORMATS).map(([name, of]) => {
        const usual = of.compressions[0] ?? "none";
        return choice(
          "exportFormat",
          name,
          FORMATS[name].title,
          of.says,
          name === "ParquetBlob",
          name !== "JsonBlob" && smaller(name, usual),
        );
      }),
    ),
  );
}

/** Where a field says what it takes, and what is wrong with it. */
const described = (field, how) => {
  field.setAttribute("aria-describedby", `${how ? `${field.id}-how ` : ""}${field.id}-wrong`);
  return field;
};
const labelled = (field, text, how) =>
  h(
    "div.field",
    { "data-key": field.id },
    h("label", { for: field.id }, text),
    described(field, how),
    how && h("p.note", { id: `${field.id}-how`, "data-how": "" }, how),
    h("p.verdict.bad", { id: `${field.id}-wrong`, "data-own": "" }),
  );
const input = (id, name, type, more = {}) => h(`input#${id}`, { type, name, autocomplete: "off", ...more });
const lines = (id, name) => h(`textarea#${id}`, { name, rows: "2", spellcheck: "false" });
const options = (id, name, choices) =>
  h(
    `select#${id}`,
    { name },
    choices.map(([value, text]) => h("option", { value }, text)),
  );
const check = (id, name, text, how) =>
  h(
    "div.check",
    { "data-key": id },
    described(input(id, name, "checkbox"), how),
    h(
      "div",
      {},
      h("label", { for: id }, text),
      h("p.note", { id: `${id}-how`, "data-how": "" }, how),
      h("p.verdict.bad", { id: `${id}-wrong`, "data-own": "" }),
    ),
  );
const chosen = (form, name) => form.elements[name]?.value;

/** What is asked beside, by what the data is. */
export function ofKind(form) {
  const operation = chosen(form, "operation");
  const { of } = KINDS[operation];
  const types = () => labelled(options("campaignType", "campaignType", Object.entries(CAMPAIGNS)), "Campaign type");
  const parts = {
    days: () => [
      h(
        "div.row",
        {},
        labelled(input("from", "startDate", "date"), "Start date (UTC)"),
        labelled(input("to", "endDate", "date"), "End date (UTC), included"),
      ),
      h(
        "p.presets",
        {},
        Object.entries(presets()).map(([name, [from, to]]) => button("preset", name, { class: "quiet", "data-from": from, "data-to": to })),
      ),
      h("div#range", { role: "status", "data-own": "" }),
    ],
    now: () => [h("p.note", {}, "As each device is when it is read; no days are asked for.")],
    campaigns: () => [
      types(),
      labelled(input("campaignIds", "campaignIds", "text"), "Campaign ids", "Whole numbers, with commas or blanks between, up to 100."),
    ],
    window: () => [
      types(),
      h(
        "div.row",
        {},
        labelled(input("windowStart", "campaignWindowStart", "datetime-local", { step: "1" }), "Window start (UTC)"),
        labelled(input("windowEnd", "campaignWindowEnd", "datetime-local", { step: "1" }), "Window end (UTC)"),
      ),
    ],
  };
  const legend = { days: "Days", now: "When", campaigns: "Campaigns", window: "Campaign window" }[of];
  return [h("fieldset", { "data-key": of }, h("legend", {}, legend), parts[of]()), filterPart(OFFERS[operation].filter)];
}

function filterPart(parts) {
  const sessions = [
    ["", "in a session, or in none"],
    ["present", "in a session"],
    ["absent", "in none"],
  ];
  const fields = {
    names: [
      labelled(lines("names", "exportOptions.filter.names"), "Names", "One a line, each of at most 64 characters."),
      check("notNames", "notNames", "All but these names", "The names above are those that are left out."),
    ],
    deviceIds: labelled(
      lines("deviceIds", "exportOptions.filter.deviceIds"),
      "Device ids",
      "One a line: 32 hex digits each, or a GUID with its dashes.",
    ),
    session: labelled(options("session", "exportOptions.filter.session", sessions), "Session"),
    from: labelled(input("after", "exportOptions.filter.from", "datetime-local", { step: "1" }), "From (UTC)"),
    to: labelled(input("before", "exportOptions.filter.to", "datetime-local", { step: "1" }), "To (UTC), not included"),
  };
  return h(
    "details",
    { "data-key": "filter" },
    h("summary", {}, "Filter"),
    h("p.note", {}, "Only some of the records become rows. Every record is checked all the same, and the manifest says the filter."),
    parts.map((part) => fields[part]),
  );
}

/** The options of a format, with what follows from each. */
export function ofFormat(form) {
  const name = chosen(form, "exportFormat");
  const operation = chosen(form, "operation");
  const { compressions } = OFFERED_FORMATS[name];
  const { type } = KINDS[operation];
  const { columns } = OFFERS[operation];
  const compression = options(
    "compression",
    "exportOptions.compression",
    compressions.map((value) => [value, `${COMPRESSIONS[value]}: ${smaller(name, value)}`]),
  );
  // The user id is a column where its own option asks for it.
  const boxes = columns
    .filter((column) => column !== "userId")
    .map((column) =>
      h(
        "label.column",
        { "data-key": column },
        h("input", { type: "checkbox", name: "exportOptions.columns", value: column, checked: true, "aria-describedby": "columns-wrong" }),
        h("code", {}, column),
      ),
    );
  return h(
    "details",
    { "data-key": `options-${name}` },
    h("summary", {}, "Export options"),
    compressions.length > 0 && labelled(compression, "Compression"),
    name !== "JsonBlob" &&
      h(
        "fieldset.columns",
        { "data-key": `columns-${operation}` },
        h("legend", {}, "Columns"),
        h("div.row", {}, boxes),
        h("p#columns-wrong.verdict.bad", { "data-own": "" }),
      ),
    name === "CsvBlob" &&
      check(
        "byteOrderMark",
        "exportOptions.byteOrderMark",
        "Begin with a byte order mark",
        "Excel takes the file for UTF-8 then, and shows every letter as it is. Some other readers show it as a part of the first name.",
      ),
    name === "CsvBlob" &&
      check(
        "escapeFormulas",
        "exportOptions.escapeFormulas",
        "Make formulas harmless",
        "Texts that begin like a formula get an apostrophe before them. They are not exactly the data any more.",
      ),
    type === "Activity" &&
      name === "JsonBlob" &&
      check("exportDeviceId", "exportOptions.exportDeviceId", "With the device id", "The other formats always have it."),
    type === "Push" && check("exportUserId", "exportOptions.exportUserId", "With the user id", "Rows say which user, where it is known."),
    labelled(
      input("maxMiB", "exportOptions.maxFileBytes", "number", { min: "16", step: "any" }),
      "Largest file, in MiB",
      "At least 16. Without, a file is as large as its chunk; with it, a chunk has several files.",
    ),
  );
}

export const wherePart = (container) =>
  h(
    "fieldset",
    {},
    h("legend", {}, "Where to"),
    h("p.note", {}, "Nothing is sent while you type. The service keeps the URL encrypted, and erases it when the export is complete."),
    container.element,
  );

export const descriptionPart = () =>
  h(
    "fieldset",
    {},
    h("legend", {}, "For those who look at the list"),
    labelled(input("description", "description", "text", { maxlength: "1024" }), "Description", "In your own words. It may be empty."),
  );

export const sendPart = () =>
  h(
    "div.send",
    {},
    h("button.primary.large", { type: "submit" }, "Create the export"),
    button("check", "Check", { "aria-describedby": "check-how" }),
    h("p#check-how.note", {}, "Check tries the signature by an invisible write, and creates nothing."),
  );

export const alsoPart = (also) =>
  h("details.also", { "data-key": "also" }, h("summary", {}, "The same as a command, by curl, or in Python"), also);
