// A request, and what follows it, as commands for a terminal. Secrets are never in them: they come from the environment, by the names
// that the command has for them (docs/COMMAND.md).

import { API } from "./api.js";
import { FORMATS, operationOf } from "./kinds.js";
import { word } from "./words.js";

/** The variables of the environment that hold secrets: the token, and the container's URL that may write, or read. */
export const SECRETS = {
  token: "ENGAGEMENT_EXPORT_TOKEN",
  writes: "ENGAGEMENT_EXPORT_CONTAINER_URL",
  reads: "ENGAGEMENT_EXPORT_READ_URL",
};

/** Lines of one command. */
const joined = (lines) => lines.filter(Boolean).join(" \\\n  ");

/** A text within an unquoted here-document: nothing in it means anything to the shell. */
const inDocument = (text) => text.replace(/[\\`$]/g, "\\$&");

/** The request that would make a task again: `{operation, fields}`, without the container. */
export function requestOf(task) {
  const names = [
    "exportFormat",
    "description",
    "startDate",
    "endDate",
    "campaignType",
    "campaignIds",
    "campaignWindowStart",
    "campaignWindowEnd",
  ];
  const fields = Object.fromEntries(names.filter((name) => task[name] !== undefined).map((name) => [name, task[name]]));
  const { asked } = task.options;
  if (Object.keys(asked).length > 0) fields.exportOptions = asked;
  return { operation: operationOf(task), fields };
}

const flag = (name, value) => value !== undefined && value !== "" && `--${name} ${word(String(value))}`;

/** A name may hold a comma or nothing, or begin with a dash. */
const repeated = (name, values = []) => values.map((value) => `--${name}=${word(value)}`);

/** The command that makes a request. */
export function command(app, { operation, fields }) {
  const { columns, filter = {}, maxFileBytes, compression, ...flags } = fields.exportOptions ?? {};
  const dashed = (name) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return joined([
    `engagement-export create ${operation}`,
    `--api ${word(API)}`,
    `--app ${word(app)}`,
    flag("from", fields.startDate),
    flag("to", fields.endDate),
    flag("campaign-type", fields.campaignType),
    flag("campaign-id", fields.campaignIds?.join(",")),
    flag("window-start", fields.campaignWindowStart),
    flag("window-end", fields.campaignWindowEnd),
    flag("description", fields.description),
    flag("format", FORMATS[fields.exportFormat]?.ending),
    flag("compression", compression),
    flag("columns", columns?.join(",")),
    flag("max-file-bytes", maxFileBytes),
    ...Object.entries(flags).map(([name, isSet]) => isSet === true && `--${dashed(name)}`),
    ...repeated("filter-name", filter.names?.in),
    ...repeated("filter-not-name", filter.names?.notIn),
    flag("filter-device-id", filter.deviceIds?.join(",")),
    flag("filter-session", filter.session),
    flag("filter-from", filter.from),
    flag("filter-to", filter.to),
  ]);
}

/** The URL that a request is sent to. */
export const where = (app, operation) => `${API}${app}/devices/exportTasks/${operation}?api-version=2014-12-01`;

/** The same by curl. The container's URL goes over the standard input, since everybody on a machine can read its command lines. */
export function curl(app, { operation, fields }) {
  const body = inDocument(JSON.stringify(fields)).replace("{", () => `{"containerUrl": "$${SECRETS.writes}", `);
  const line = joined([
    `curl -sS ${word(where(app, operation))}`,
    `-H "Authorization: Bearer $${SECRETS.token}"`,
    "-H 'Content-Type: application/json'",
    "--data-binary @- <<REQUEST",
  ]);
  return `${line}\n${body}\nREQUEST`;
}

/** How to download an export's files, each verified while it comes, and how to verify them where they lie; neither asks the service. */
export const download = (manifest) => joined([`engagement-export download ${word(manifest)}`, "--into downloads"]);
export const verify = (manifest) => `engagement-export verify --job ${word(manifest)}`;
