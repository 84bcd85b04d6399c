// What can be exported, in words. A test compares the names, columns and filters with the service's own.

const DAYS = "days";
const NOW = "now";

/** The operations that create an export, by the last part of their path. */
export const KINDS = {
  events: {
    type: "Event", title: "Events", of: DAYS,
    says: "What users did: each event that the app sends, by its name.",
    columns: ["deviceId", "name", "timestamp", "infoId", "sessionId", "locationId", "extras"],
    filter: ["names", "deviceIds", "session", "from", "to"],
  },
  activities: {
    type: "Activity", title: "Activities", of: DAYS,
    says: "Which screens users looked at, one after the other.",
    columns: ["sessionId", "deviceId", "name", "timestamp", "extras"],
    filter: ["names", "deviceIds", "from", "to"],
  },
  sessions: {
    type: "Session", title: "Sessions", of: DAYS,
    says: "When users opened the app, and when they left it.",
    columns: ["sessionId", "deviceId", "start", "end", "infoId", "locationId"],
    filter: ["deviceIds", "from", "to"],
  },
  jobs: {
    type: "Job", title: "Jobs", of: DAYS,
    says: "Work with a beginning and an end, such as a download in the app.",
    columns: ["jobId", "name", "deviceId", "infoId", "start", "end", "extras"],
    filter: ["names", "deviceIds", "from", "to"],
  },
  errors: {
    type: "Error", title: "Errors", of: DAYS,
    says: "What went wrong, as the app reported it.",
    columns: ["deviceId", "name", "timestamp", "infoId", "sessionId", "locationId", "extras"],
    filter: ["names", "deviceIds", "session", "from", "to"],
  },
  crashes: {
    type: "Crash", title: "Crashes", of: DAYS,
    says: "When the app ended by itself, with the stack trace.",
    columns: ["crashId", "deviceId", "timestamp", "infoId", "sessionId", "name", "stackTrace"],
    filter: ["names", "deviceIds", "session", "from", "to"],
  },
  devices: {
    type: "Device", title: "Devices", of: NOW,
    says: "What each device says of itself: model, system, language, place.",
    columns: ["deviceId", "meta", "info", "location", "appInfo"],
    filter: ["deviceIds"],
  },
  tags: {
    type: "Tag", title: "Tags", of: NOW,
    says: "The tags of each device, which the app has set.",
    columns: ["deviceId", "tags"],
    filter: ["deviceIds"],
  },
  tokens: {
    type: "Token", title: "Push tokens", of: NOW,
    says: "The address at which each device takes push messages.",
    columns: ["deviceId", "token", "type"],
    filter: ["deviceIds"],
  },
  feedbackByCampaign: {
    type: "Push", title: "Feedback of campaigns", of: "campaigns",
    says: "What devices did with push campaigns that you name.",
    columns: ["deviceId", "campaignType", "campaignId", "status", "userId"],
    filter: ["deviceIds"],
  },
  feedbackByDate: {
    type: "Push", title: "Feedback of a time", of: "window",
    says: "The same of all campaigns that were active in a window of time.",
    columns: ["deviceId", "campaignType", "campaignId", "status", "userId"],
    filter: ["deviceIds"],
  },
};

/** The types of campaigns. */
export const CAMPAIGNS = { Announcement: "Announcements", DataPush: "Data pushes", NativePush: "Native pushes", Poll: "Polls" };

/**
 * The formats, with what follows from each. `size` is of a gigabyte of raw data, and `packed` compressed as is usual for the format:
 * those of docs/PERFORMANCE.md, "What a terabyte costs", which a test compares.
 */
export const FORMATS = {
  ParquetBlob: {
    title: "Parquet", ending: "parquet", size: 118, compressions: [],
    says: "Columns with types, the smallest files. Opens in pandas, Polars, DuckDB, Spark and most warehouses.",
  },
  JsonLinesBlob: {
    title: "JSON Lines", ending: "jsonl", size: 998, gzip: 200, zstd: 170, compressions: ["zstd", "gzip", "none"],
    says: "One object a line, which most tools load as it is. Compressed unless you ask otherwise.",
  },
  CsvBlob: {
    title: "CSV", ending: "csv", size: 848, gzip: 185, zstd: 166, compressions: ["none", "gzip", "zstd"],
    says: "A header and a line for each row. Opens in spreadsheets; nested values become text.",
  },
  JsonBlob: {
    title: "JSON", ending: "json", size: 1036, gzip: 202, zstd: 171, compressions: ["none", "gzip", "zstd"],
    says: "One array in each file, events and activities in groups: as the old portal wrote it.",
  },
};

/** How much smaller than plain JSON the files of a format are, in words. */
export function smaller(format, compression) {
  const { size, ...packed } = FORMATS[format];
  const times = FORMATS.JsonBlob.size / (packed[compression] ?? size);
  return times < 1.5 ? "about as large as plain JSON" : `about ${Math.round(times)} times smaller than plain JSON`;
}

/** What each compression is called, and what follows from it. */
export const COMPRESSIONS = {
  none: "not compressed",
  gzip: "gzip, which everything opens",
  zstd: "Zstandard, smaller and faster; pandas, DuckDB and Polars open it",
};

/** The operation that a task was created by. */
export function operationOf(task) {
  const isOf = ([, kind]) =>
    kind.type === task.exportType &&
    (kind.type !== "Push" || (kind.of === "campaigns") === (task.campaignIds !== undefined));
  return Object.entries(KINDS).find(isOf)?.[0];
}
