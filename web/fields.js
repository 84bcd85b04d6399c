// The parts of the form for a new export.

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
    h("legend", {}, "What"),
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
        return choice("format", name, FORMATS[name].title, of.says, name === "ParquetBlob", name !== "JsonBlob" && smaller(name, usual));
      }),
    ),
  );
}

const labelled = (id, text, field, how) =>
  h("div.field", { "data-key": id }, h("label", { for: id }, text), field, how && h("p.note", { id: `${id}-how` }, how));
const input = (id, type, more = {}) => h(`input#${id}`, { type, name: id, autocomplete: "off", ...more });
const check = (id, text, how) =>
  h(
    "div.check",
    { "data-key": id },
    input(id, "checkbox", { "aria-describedby": `${id}-how` }),
    h("div", {}, h("label", { for: id }, text), h("p.note", { id: `${id}-how` }, how)),
  );
const chosen = (form, name) => form.elements[name]?.value;

/** What is asked beside, by what the data is. */
export function ofKind(form) {
  const operation = chosen(form, "operation");
  const { of } = KINDS[operation];
  const types = h(
    "select#campaignType",
    { name: "campaignType" },
    Object.entries(CAMPAIGNS).map(([value, text]) => h("option", { value }, text)),
  );
  const parts = {
    days: () => [
      h(
        "div.row",
        {},
        labelled("from", "First day (UTC)", input("from", "date")),
        labelled("to", "Last day (UTC), included", input("to", "date")),
      ),
      h(
        "p.presets",
        {},
        Object.entries(presets()).map(([name, [from, to]]) => button("preset", name, { class: "quiet", "data-from": from, "data-to": to })),
      ),
      h("p#range.note", { role: "status", "data-own": "" }),
    ],
    now: () => [h("p.note", {}, "As each device is when it is read; no days are asked for.")],
    campaigns: () => [
      labelled("campaignType", "Type of the campaigns", types),
      labelled(
        "campaignIds",
        "Their ids",
        input("campaignIds", "text", { "aria-describedby": "campaignIds-how" }),
        "Numbers, with commas or blanks between, up to 100.",
      ),
    ],
    window: () => [
      labelled("campaignType", "Type of the campaigns", types),
      h(
        "div.row",
        {},
        labelled("windowStart", "Begin (UTC)", input("windowStart", "datetime-local")),
        labelled("windowEnd", "End (UTC)", input("windowEnd", "datetime-local")),
      ),
    ],
  };
  const legend = { days: "Days", now: "When", campaigns: "Campaigns", window: "Time" }[of];
  return [h("fieldset", { "data-key": of }, h("legend", {}, legend), parts[of]()), filterPart(OFFERS[operation].filter)];
}

function filterPart(parts) {
  const session = h(
    "select#session",
    { name: "session" },
    [
      ["", "in a session, or in none"],
      ["present", "in a session"],
      ["absent", "in none"],
    ].map(([value, text]) => h("option", { value }, text)),
  );
  const fields = {
    names: [
      labelled(
        "names",
        "Only these names",
        h("textarea#names", { name: "names", rows: "2", spellcheck: "false", "aria-describedby": "names-how" }),
        "One a line.",
      ),
      check("notNames", "All but these", "The names above are those that are left out."),
    ],
    deviceIds: labelled(
      "deviceIds",
      "Only these devices",
      h("textarea#deviceIds", { name: "deviceIds", rows: "2", spellcheck: "false", "aria-describedby": "deviceIds-how" }),
      "Their ids, one a line.",
    ),
    session: labelled("session", "Only what happened", session),
    from: labelled("after", "From (UTC)", input("after", "datetime-local", { step: "1" })),
    to: labelled("before", "Until before (UTC)", input("before", "datetime-local", { step: "1" })),
  };
  return h(
    "details",
    { "data-key": "filter" },
    h("summary", {}, "Only some of the records"),
    h("p.note", {}, "Every record is checked all the same; the manifest says the filter."),
    parts.map((part) => fields[part]),
  );
}

/** The options of a format, with what follows from each. */
export function ofFormat(form) {
  const name = chosen(form, "format");
  const operation = chosen(form, "operation");
  const { compressions } = OFFERED_FORMATS[name];
  const { type } = KINDS[operation];
  const { columns } = OFFERS[operation];
  const compression = h(
    "select#compression",
    { name: "compression" },
    compressions.map((value) => h("option", { value }, `${COMPRESSIONS[value]}: ${smaller(name, value)}`)),
  );
  // The user id is a column where its own option asks for it.
  const boxes = columns
    .filter((column) => column !== "userId")
    .map((column) =>
      h(
        "label.column",
        { "data-key": column },
        h("input", { type: "checkbox", name: "columns", value: column, checked: true }),
        h("code", {}, column),
      ),
    );
  return h(
    "details",
    { "data-key": `options-${name}` },
    h("summary", {}, "Options of the files"),
    compressions.length > 0 && labelled("compression", "Compression", compression),
    name !== "JsonBlob" &&
      h("fieldset.columns", { "data-key": `columns-${operation}` }, h("legend", {}, "Columns"), h("div.row", {}, boxes)),
    name === "CsvBlob" &&
      check(
        "byteOrderMark",
        "Begin with a byte order mark",
        "Excel takes the file for UTF-8 then, and shows every letter as it is. Some other readers show it as a part of the first name.",
      ),
    name === "CsvBlob" &&
      check(
        "escapeFormulas",
        "Make formulas harmless",
        "Texts that begin like a formula get an apostrophe before them. They are not exactly the data any more.",
      ),
    type === "Activity" && name === "JsonBlob" && check("exportDeviceId", "With the device id", "The other formats always have it."),
    type === "Push" && check("exportUserId", "With the user id", "Rows say which user, where it is known."),
    labelled(
      "maxMiB",
      "Most MiB of a file",
      input("maxMiB", "number", { min: "16", step: "1", "aria-describedby": "maxMiB-how" }),
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
    h("legend", {}, "Your own words"),
    labelled(
      "description",
      "Description",
      input("description", "text", { maxlength: "1024", "aria-describedby": "description-how" }),
      "For those who look at the list. It may be empty.",
    ),
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
  h(
    "details.also",
    {},
    h("summary", {}, "The same as a command, by curl, or in Python"),
    h("p.note", {}, "Secrets come from the environment: TOKEN, and CONTAINER_URL."),
    also,
  );
