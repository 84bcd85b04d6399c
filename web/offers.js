// What the form for a new export offers, with what follows from each choice. A test compares it with what the service knows, and the
// sizes with docs/PERFORMANCE.md.

const OF_HAPPENINGS = ["deviceId", "name", "timestamp", "infoId", "sessionId", "locationId", "extras"];
const OF_FEEDBACK = ["deviceId", "campaignType", "campaignId", "status", "userId"];

/** Of each operation what it is in words, the columns of its rows, and by what they can be filtered. */
export const OFFERS = {
  events: {
    says: "What users did: each event that the app sends, by its name.",
    columns: OF_HAPPENINGS,
    filter: ["names", "deviceIds", "session", "from", "to"],
  },
  activities: {
    says: "Which screens users looked at, one after the other.",
    columns: ["sessionId", "deviceId", "name", "timestamp", "extras"],
    filter: ["names", "deviceIds", "from", "to"],
  },
  sessions: {
    says: "When users opened the app, and when they left it.",
    columns: ["sessionId", "deviceId", "start", "end", "infoId", "locationId"],
    filter: ["deviceIds", "from", "to"],
  },
  jobs: {
    says: "Work with a beginning and an end, such as a download in the app.",
    columns: ["jobId", "name", "deviceId", "infoId", "start", "end", "extras"],
    filter: ["names", "deviceIds", "from", "to"],
  },
  errors: {
    says: "What went wrong, as the app reported it.",
    columns: OF_HAPPENINGS,
    filter: ["names", "deviceIds", "session", "from", "to"],
  },
  crashes: {
    says: "When the app ended by itself, with the stack trace.",
    columns: ["crashId", "deviceId", "timestamp", "infoId", "sessionId", "name", "stackTrace"],
    filter: ["names", "deviceIds", "session", "from", "to"],
  },
  devices: {
    says: "What each device says of itself: model, system, language, place.",
    columns: ["deviceId", "meta", "info", "location", "appInfo"],
    filter: ["deviceIds"],
  },
  tags: {
    says: "The tags of each device, which the app has set.",
    columns: ["deviceId", "tags"],
    filter: ["deviceIds"],
  },
  tokens: {
    says: "The address at which each device takes push messages.",
    columns: ["deviceId", "token", "type"],
    filter: ["deviceIds"],
  },
  feedbackByCampaign: {
    says: "What devices did with push campaigns that you name.",
    columns: OF_FEEDBACK,
    filter: ["deviceIds"],
  },
  feedbackByDate: {
    says: "The same of all campaigns that were active in a window of time.",
    columns: OF_FEEDBACK,
    filter: ["deviceIds"],
  },
};

/** The types of campaigns. */
export const CAMPAIGNS = { Announcement: "Announcements", DataPush: "Data pushes", NativePush: "Native pushes", Poll: "Polls" };

/**
 * Of each format what follows from it, its compressions, the usual one first, and how many GB come of 1,000 of NDJSON: `size` of plain
 * files, else by compression (docs/PERFORMANCE.md, "What a terabyte costs").
 */
export const OFFERED_FORMATS = {
  ParquetBlob: {
    size: 118,
    compressions: [],
    says: "Columns with types, the smallest files. Opens in pandas, Polars, DuckDB, Spark and most warehouses.",
  },
  JsonLinesBlob: {
    size: 998,
    gzip: 200,
    zstd: 170,
    compressions: ["zstd", "gzip", "none"],
    says: "One object a line, which most tools load as it is. Compressed unless you ask otherwise.",
  },
  CsvBlob: {
    size: 848,
    gzip: 185,
    zstd: 166,
    compressions: ["none", "gzip", "zstd"],
    says: "A header and a line for each row. Opens in spreadsheets; nested values become text.",
  },
  JsonBlob: {
    size: 1036,
    gzip: 202,
    zstd: 171,
    compressions: ["none", "gzip", "zstd"],
    says: "One array in each file, events and activities in groups: as the old portal wrote it.",
  },
};

/** How much smaller than plain JSON the files of a format are, in words. */
export function smaller(format, compression) {
  const { size, ...packed } = OFFERED_FORMATS[format];
  const times = OFFERED_FORMATS.JsonBlob.size / (packed[compression] ?? size);
  return times < 1.5 ? "about as large as plain JSON" : `about ${Math.round(times)} times smaller than plain JSON`;
}

/** What each compression is called, and what follows from it. */
export const COMPRESSIONS = {
  none: "not compressed",
  gzip: "gzip, which everything opens",
  zstd: "Zstandard, smaller and faster; pandas, DuckDB and Polars open it",
};
