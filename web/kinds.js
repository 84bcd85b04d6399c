// What can be exported, and how it is called. A test compares this with what the service knows.

/** The operations that create an export, by the last part of their path: the type of their rows, and what they select by. */
export const KINDS = {
  events: { type: "Event", title: "Events", of: "days" },
  activities: { type: "Activity", title: "Activities", of: "days" },
  sessions: { type: "Session", title: "Sessions", of: "days" },
  jobs: { type: "Job", title: "Jobs", of: "days" },
  errors: { type: "Error", title: "Errors", of: "days" },
  crashes: { type: "Crash", title: "Crashes", of: "days" },
  devices: { type: "Device", title: "Devices", of: "now" },
  tags: { type: "Tag", title: "Tags", of: "now" },
  tokens: { type: "Token", title: "Push tokens", of: "now" },
  feedbackByCampaign: { type: "Push", title: "Push feedback by campaign", of: "campaigns" },
  feedbackByDate: { type: "Push", title: "Push feedback by date", of: "window" },
};

/** The formats, and the endings of their files. */
export const FORMATS = {
  ParquetBlob: { title: "Parquet", ending: "parquet" },
  JsonLinesBlob: { title: "JSON Lines", ending: "jsonl" },
  CsvBlob: { title: "CSV", ending: "csv" },
  JsonBlob: { title: "JSON", ending: "json" },
};

/** The operation that a task was created by. */
export function operationOf(task) {
  const isOf = ([, kind]) =>
    kind.type === task.exportType && (kind.type !== "Push" || (kind.of === "campaigns") === (task.campaignIds !== undefined));
  return Object.entries(KINDS).find(isOf)?.[0];
}
