// What a filled form asks for, as the API takes it; and a form filled as an export was asked for.

import { h, update } from "./dom.js";
import { ofFormat, ofKind, presets } from "./fields.js";
import { KINDS, operationOf } from "./kinds.js";
import { OFFERED_FORMATS } from "./offers.js";
import { counted, days, number } from "./words.js";

const DAY = 86_400_000;
const MIB = 2 ** 20;
const COLUMNS = '[name="exportOptions.columns"]';

const lines = (text) =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
const moment = (local) => local && `${local.length === 16 ? `${local}:00` : local}Z`;
const present = (fields) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== "" && value !== false));

/**
 * The request, without the container: `{operation, fields}`; with a `problem` where something is missing, in the shape of the API's
 * messages, which begin with the field.
 */
export function fieldsOf(form) {
  const value = (name) => form.elements[name]?.value ?? "";
  const isSet = (name) => form.elements[name]?.checked === true;
  const operation = value("operation");
  const kind = KINDS[operation];
  const format = value("exportFormat");
  const selection = {
    days: () => ({ startDate: value("startDate"), endDate: value("endDate") }),
    now: () => ({}),
    campaigns: () => ({
      campaignType: value("campaignType"),
      campaignIds: value("campaignIds")
        .split(/[\s,]+/)
        .filter(Boolean)
        .map(Number),
    }),
    window: () => ({
      campaignType: value("campaignType"),
      campaignWindowStart: moment(value("campaignWindowStart")),
      campaignWindowEnd: moment(value("campaignWindowEnd")),
    }),
  }[kind.of]();
  const fields = present({ exportFormat: format, description: value("description"), ...selection, exportOptions: options() });
  return { operation, fields, ...missing(form, kind, fields) };

  function options() {
    const option = (name) => value(`exportOptions.${name}`);
    const isAsked = (name) => isSet(`exportOptions.${name}`);
    const names = lines(option("filter.names"));
    const ids = lines(option("filter.deviceIds"));
    const filter = present({
      names: names.length > 0 ? (isSet("notNames") ? { notIn: names } : { in: names }) : undefined,
      deviceIds: ids.length > 0 ? ids : undefined,
      session: option("filter.session"),
      from: moment(option("filter.from")),
      to: moment(option("filter.to")),
    });
    const wanted = present({
      compression: option("compression") === (OFFERED_FORMATS[format].compressions[0] ?? "") ? undefined : option("compression"),
      columns: columns(),
      byteOrderMark: isAsked("byteOrderMark"),
      escapeFormulas: isAsked("escapeFormulas"),
      exportDeviceId: isAsked("exportDeviceId"),
      exportUserId: isAsked("exportUserId"),
      maxFileBytes: option("maxFileBytes") ? Math.round(Number(option("maxFileBytes")) * MIB) : undefined,
      filter: Object.keys(filter).length > 0 ? filter : undefined,
    });
    return Object.keys(wanted).length > 0 ? wanted : undefined;
  }

  /** The columns where not all are wanted; that of the user comes with its own option. */
  function columns() {
    const boxes = [...form.querySelectorAll(COLUMNS)];
    const wanted = boxes.filter((box) => box.checked).map((box) => box.value);
    if (wanted.length === boxes.length) return undefined;
    return isSet("exportOptions.exportUserId") ? [...wanted, "userId"] : wanted;
  }
}

/** What is missing, or cannot be meant, before anything is worth sending; the rest is the service's to say. */
function missing(form, kind, fields) {
  const { columns, filter = {} } = fields.exportOptions ?? {};
  const ids = fields.campaignIds;
  const wrong = [
    ...[...form.elements].map((field) => [field.validity?.valid === false, field.name, outOfBounds(field)]),
    [kind.of === "days" && !fields.startDate, "startDate", "is missing."],
    [kind.of === "days" && !fields.endDate, "endDate", "is missing."],
    [fields.startDate > fields.endDate, "startDate", "is after the end date: exchange them."],
    [ids?.length === 0, "campaignIds", "are missing: name at least one campaign."],
    [ids?.some((id) => !Number.isSafeInteger(id)), "campaignIds", "have what is no whole number."],
    [kind.of === "window" && !fields.campaignWindowStart, "campaignWindowStart", "is missing."],
    [kind.of === "window" && !fields.campaignWindowEnd, "campaignWindowEnd", "is missing."],
    [fields.campaignWindowStart > fields.campaignWindowEnd, "campaignWindowStart", "is after the window's end: exchange them."],
    [filter.from >= filter.to, "exportOptions.filter.from", "is not before “To”: exchange them."],
    [columns?.length === 0, "exportOptions.columns", "are all left out: choose at least one."],
  ].find(([isWrong]) => isWrong);
  return wrong ? { problem: `\`${wrong[1]}\` ${wrong[2]}` } : {};
}

/** What the bounds of a field say that it takes. */
const outOfBounds = ({ min, type }) => (type === "number" ? `takes a number, at least ${min}.` : "is no day or time of the calendar.");

/** Says the days in words, and what the service will not take of them: it spans `most` days in one export. */
export function rangeWords(form, most) {
  const line = form.querySelector("#range");
  if (!line) return;
  const [from, to] = [form.elements.startDate.value, form.elements.endDate.value];
  const many = Math.round((new Date(to) - new Date(from)) / DAY) + 1;
  const today = new Date().toISOString().slice(0, 10);
  const doubts = [
    [many < 1, "The end date is before the start date."],
    [from > today, "These days have not begun, in UTC: the service will not take them."],
    [many > most, `The service takes at most ${counted(most, "day")} in one export: make several.`],
    [to >= today, "Not all of these days are over, in UTC: what comes after the export was made is not in it."],
  ];
  const doubt = doubts.find(([isSo]) => isSo)?.[1];
  const isOne = many === 1 ? "one whole day" : `${number(many)} whole days`;
  update(
    line,
    from && to && many > 0 && h("p.note", {}, `${days(from, to)}: ${isOne}, from midnight to midnight UTC.`),
    from && to && doubt && h("p.verdict.doubt", {}, doubt),
  );
}

const spelled = (value) => JSON.stringify(value, (_, it) => (it?.constructor === Object ? Object.fromEntries(Object.entries(it).sort()) : it));

/** Whether a filled form asks for all that an export was asked for: names in spaces, and parts of a second, are more than it holds. */
export function holds(task, { fields }) {
  const isKept = (name) => task[name] === fields[name];
  const filters = [task.options.asked, fields.exportOptions].map((options) => spelled(options?.filter ?? {}));
  return filters[0] === filters[1] && ["campaignWindowStart", "campaignWindowEnd"].every(isKept);
}

/** Fills the form as an export was asked for; else with the last seven days. */
export function fill(form, task) {
  const set = (name, value) => {
    const field = form.elements[name];
    if (!field || value === undefined) return;
    if (field.type === "checkbox") field.checked = value;
    else field.value = value;
  };
  if (task) {
    set("operation", operationOf(task));
    set("exportFormat", task.exportFormat);
    set("description", task.description);
  }
  update(form.querySelector("#of-kind"), ofKind(form));
  update(form.querySelector("#of-format"), ofFormat(form));
  const [from, to] = presets()["Last 7 days"];
  set("startDate", task?.startDate ?? from);
  set("endDate", task?.endDate ?? to);
  if (!task) return;
  const asked = task.options.asked;
  const option = (name, value) => set(`exportOptions.${name}`, value);
  for (const name of ["byteOrderMark", "escapeFormulas", "exportDeviceId", "exportUserId", "compression"]) option(name, asked[name]);
  if (asked.maxFileBytes) option("maxFileBytes", asked.maxFileBytes / MIB);
  if (asked.columns) for (const box of form.querySelectorAll(COLUMNS)) box.checked = asked.columns.includes(box.value);
  const filter = asked.filter ?? {};
  option("filter.names", (filter.names?.in ?? filter.names?.notIn)?.join("\n"));
  set("notNames", filter.names?.notIn !== undefined);
  option("filter.deviceIds", filter.deviceIds?.join("\n"));
  option("filter.session", filter.session);
  option("filter.from", filter.from?.slice(0, 19));
  option("filter.to", filter.to?.slice(0, 19));
  set("campaignType", task.campaignType);
  set("campaignIds", task.campaignIds?.join(", "));
  set("campaignWindowStart", task.campaignWindowStart?.slice(0, 19));
  set("campaignWindowEnd", task.campaignWindowEnd?.slice(0, 19));
}
