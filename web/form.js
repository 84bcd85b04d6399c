// What a filled form asks for, as the API takes it; and a form filled as an export was asked for.

import { update } from "./dom.js";
import { ofFormat, ofKind, presets } from "./fields.js";
import { KINDS, operationOf } from "./kinds.js";
import { OFFERED_FORMATS } from "./offers.js";
import { days } from "./words.js";

const DAY = 86_400_000;

const lines = (text) =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
const moment = (local) => local && `${local.length === 16 ? `${local}:00` : local}Z`;
const present = (fields) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== "" && value !== false));

/** The request, without the container: `{operation, fields}`; with `problem` and the selector of its `field` where something is missing. */
export function fieldsOf(form) {
  const value = (name) => form.elements[name]?.value ?? "";
  const isSet = (name) => form.elements[name]?.checked === true;
  const operation = value("operation");
  const kind = KINDS[operation];
  const format = value("format");
  const selection = {
    days: () => ({ startDate: value("from"), endDate: value("to") }),
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
      campaignWindowStart: moment(value("windowStart")),
      campaignWindowEnd: moment(value("windowEnd")),
    }),
  }[kind.of]();
  const fields = present({ exportFormat: format, description: value("description"), ...selection, exportOptions: options() });
  return { operation, fields, ...missing(kind, fields) };

  function options() {
    const names = lines(value("names"));
    const filter = present({
      names: names.length > 0 ? (isSet("notNames") ? { notIn: names } : { in: names }) : undefined,
      deviceIds: lines(value("deviceIds")).length > 0 ? lines(value("deviceIds")) : undefined,
      session: value("session"),
      from: moment(value("after")),
      to: moment(value("before")),
    });
    const compression = value("compression");
    const wanted = present({
      compression: compression === (OFFERED_FORMATS[format].compressions[0] ?? "") ? undefined : compression,
      columns: columns(),
      byteOrderMark: isSet("byteOrderMark"),
      escapeFormulas: isSet("escapeFormulas"),
      exportDeviceId: isSet("exportDeviceId"),
      exportUserId: isSet("exportUserId"),
      maxFileBytes: value("maxMiB") ? Math.round(Number(value("maxMiB")) * 2 ** 20) : undefined,
      filter: Object.keys(filter).length > 0 ? filter : undefined,
    });
    return Object.keys(wanted).length > 0 ? wanted : undefined;
  }

  /** The columns where not all are wanted; that of the user comes with its own option. */
  function columns() {
    const boxes = [...form.querySelectorAll("[name=columns]")];
    const wanted = boxes.filter((box) => box.checked).map((box) => box.value);
    if (wanted.length === boxes.length) return undefined;
    return isSet("exportUserId") ? [...wanted, "userId"] : wanted;
  }
}

/** What is missing before anything is worth sending. */
function missing(kind, fields) {
  if (kind.of === "days" && !fields.startDate) return { problem: "The first day is missing.", field: "#from" };
  if (kind.of === "days" && !fields.endDate) return { problem: "The last day is missing.", field: "#to" };
  if (kind.of === "days" && fields.startDate > fields.endDate)
    return { problem: "The first day is after the last: exchange them.", field: "#from" };
  if (fields.campaignIds?.length === 0) return { problem: "Name at least one campaign.", field: "#campaignIds" };
  if (fields.campaignIds?.some((id) => !Number.isSafeInteger(id)))
    return { problem: "A campaign's id is a whole number.", field: "#campaignIds" };
  if (kind.of === "window" && !fields.campaignWindowStart) return { problem: "The begin of the window is missing.", field: "#windowStart" };
  if (kind.of === "window" && !fields.campaignWindowEnd) return { problem: "The end of the window is missing.", field: "#windowEnd" };
  if (fields.exportOptions?.columns?.length === 0) return { problem: "Choose at least one column.", field: "[name=columns]" };
  return {};
}

/** Says the days in words. */
export function rangeWords(form) {
  const line = form.querySelector("#range");
  if (!line) return;
  const [from, to] = [form.elements.from.value, form.elements.to.value];
  const many = Math.round((new Date(to) - new Date(from)) / DAY) + 1;
  line.textContent =
    !from || !to
      ? ""
      : many < 1
        ? "The last day is before the first."
        : `${days(from, to)}: ${many === 1 ? "one whole day" : `${many} whole days`}, from midnight to midnight UTC.`;
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
    set("format", task.exportFormat);
    set("description", task.description);
  }
  update(form.querySelector("#of-kind"), ofKind(form));
  update(form.querySelector("#of-format"), ofFormat(form));
  const [from, to] = presets()["Last 7 days"];
  set("from", task?.startDate ?? from);
  set("to", task?.endDate ?? to);
  if (!task) return;
  const asked = task.options.asked;
  for (const name of ["byteOrderMark", "escapeFormulas", "exportDeviceId", "exportUserId", "compression"]) set(name, asked[name]);
  if (asked.maxFileBytes) set("maxMiB", asked.maxFileBytes / 2 ** 20);
  if (asked.columns) for (const box of form.querySelectorAll("[name=columns]")) box.checked = asked.columns.includes(box.value);
  const filter = asked.filter ?? {};
  set("names", (filter.names?.in ?? filter.names?.notIn)?.join("\n"));
  set("notNames", filter.names?.notIn !== undefined);
  set("deviceIds", filter.deviceIds?.join("\n"));
  set("session", filter.session);
  set("after", filter.from?.slice(0, 19));
  set("before", filter.to?.slice(0, 19));
  set("campaignType", task.campaignType);
  set("campaignIds", task.campaignIds?.join(", "));
  set("windowStart", task.campaignWindowStart?.slice(0, 16));
  set("windowEnd", task.campaignWindowEnd?.slice(0, 16));
}
