// Answers of the service, made up: what exports look like in every state.

/** The moment of all states. */
export const NOW = "2026-01-12T10:20:00Z";

export const APP =
  "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/demo/providers/Microsoft.MobileEngagement/appcollections/studio/apps/chess";

/** A text that turns what follows it around, and hides some of itself. */
export const ODD = "report\u202Egpj.exe\u200b\u0007";

const CONTAINER = "https://chessdata.blob.core.windows.net/exports";

/** A signature of nothing: the key of Azurite is published, and this is not even made with it. */
export const SIGNATURE = "bm90LWEtc2lnbmF0dXJlLW9mLWFueXRoaW5nLWF0LWFsbA==";
export const containerUrl = (more = "&sp=cw&se=2026-01-13T12:00:00Z", container = CONTAINER) =>
  `${container}?sv=2023-11-03&sr=c${more}&sig=${encodeURIComponent(SIGNATURE)}`;

export const id = (number) => `0198a2f4-6b1c-7d3e-9f00-${String(number).padStart(12, "0")}`;
const at = (clock) => `2026-01-12T${clock}Z`;

const COUNTS = {
  recordsRead: 0,
  rows: 0,
  bytes: 0,
  recordsRejected: 0,
  recordsRejectedInPart: 0,
  recordsFiltered: 0,
  recordsExcluded: 0,
  rowsRepaired: 0,
  rowsTruncated: 0,
  filesOversized: 0,
};

/** How far a task has come. */
export function progress(done, total, rows, bytes, more = {}) {
  return {
    chunksDone: done,
    chunksFailed: 0,
    chunksTotal: total,
    percent: Math.floor((100 * done) / total),
    ...COUNTS,
    recordsRead: rows,
    rows,
    bytes,
    asOf: at("10:19:58.120"),
    ...more,
  };
}

/** A task: of events, running, unless said otherwise. */
export function task(number, more = {}) {
  return {
    id: id(number),
    state: "Started",
    dateCreated: at("10:02:11.402"),
    exportType: "Event",
    status: "InProgress",
    phase: "running",
    phaseSince: at("10:02:15.020"),
    dateStarted: at("10:02:12.310"),
    exportFormat: "ParquetBlob",
    startDate: "2026-01-05",
    endDate: "2026-01-11",
    options: {
      asked: {},
      resolved: { compression: "none", byteOrderMark: false, escapeFormulas: false, exportUserId: false, exportDeviceId: false },
    },
    container: CONTAINER,
    askedBy: "mira@chess.example",
    credentialExpires: "2026-01-13T10:00:00.000Z",
    progress: progress(31, 48, 4_812_960, 98_400_000, { rowsPerSecond: 4530, estimatedCompletion: at("10:29:40.000") }),
    ...(more.dateCompleted && { manifestUrl: `${CONTAINER}/${more.exportType ?? "Event"}/${id(number)}/manifest.json` }),
    ...more,
  };
}

const ended = (phase, state, clock, more) => ({
  state,
  status: state === "Succeeded" ? "Succeeded" : "Failed",
  phase,
  phaseSince: at(clock),
  dateCompleted: at(clock),
  credentialExpires: undefined,
  ...more,
});

export const SAMPLES = {
  running: task(9, { description: "Week 2 for the retention dashboard" }),
  waiting: task(8, {
    phase: "awaiting-credential",
    phaseSince: at("10:04:31.007"),
    exportType: "Session",
    exportFormat: "JsonLinesBlob",
    credentialExpires: "2026-01-12T10:04:00.000Z",
    options: { asked: {}, resolved: { compression: "zstd" } },
    errorDetails:
      "Waiting since 2026-01-12T10:04:31.007Z for a new signature of the container, because storage refused the signature (SignatureExpired; the signature has expired: make one that lasts longer than the export). Nothing is lost: send PATCH to this task with a new `containerUrl` of the same container, and the export goes on from the files that it has.",
    progress: progress(12, 20, 1_204_311, 40_100_200),
  }),
  stuck: task(10, {
    phase: "awaiting-credential",
    phaseSince: at("09:58:00.000"),
    exportType: "Error",
    progress: progress(3, 20, 204_311, 4_100_200),
    errorDetails:
      "Waiting since 2026-01-12T09:58:00.000Z to be resumed again, because the service failed at every attempt to go on; the signature of the container is not the cause. Nothing is lost: send PATCH to this task with `{}`, and the export goes on from the files that it has. When it waits again, tell the service's operator the task's id.",
  }),
  ending: task(11, {
    description: "Ends after its signature",
    credentialExpires: "2026-01-12T10:28:00.000Z",
    warnings: [
      {
        code: "SignatureExpires",
        message:
          "The signature of the container expires at 2026-01-12T10:28:00.000Z, and the export is expected to end at about 2026-01-12T10:29:40.000Z: send PATCH to this task with a new `containerUrl` of the same container. Without it the export waits at that moment, and nothing is lost.",
      },
    ],
  }),
  queued: task(7, {
    state: "Queued",
    phase: "queued",
    phaseSince: at("10:19:57.000"),
    dateCreated: at("10:19:57.000"),
    dateStarted: undefined,
    exportType: "Device",
    startDate: undefined,
    endDate: undefined,
    progress: undefined,
  }),
  incomplete: task(
    6,
    ended("incomplete", "Failed", "09:41:00.000", {
      exportType: "Crash",
      exportFormat: "CsvBlob",
      dateCreated: at("09:30:00.000"),
      options: { asked: { byteOrderMark: true }, resolved: { compression: "none", byteOrderMark: true } },
      errorDetails:
        "2 objects could not be exported: crashes/date=2026-01-07/part-00003.ndjson.gz was replaced or deleted after the export was planned. The files of 6 of 6 chunks are whole and listed in the manifest.",
      progress: progress(6, 6, 11_204, 2_402_113, { percent: 99, recordsRejected: 3 }),
      warnings: [
        { code: "RecordsRejected", message: "3 records cannot be exported: they stand in files of their own, each with its reason." },
      ],
    }),
  ),
  succeeded: task(
    5,
    ended("succeeded", "Succeeded", "08:12:40.000", {
      description: "December, for the auditors",
      dateCreated: at("08:02:00.000"),
      startDate: "2025-12-01",
      endDate: "2025-12-31",
      progress: progress(62, 62, 21_480_112, 402_118_233, { percent: 100, recordsRejected: 3 }),
      ignored: { objects: 14, bytes: 48_211, first: ["events/date=2025-12-03/_SUCCESS", "events/date=2025-12-04/part-00001.ndjson.tmp"] },
      warnings: [
        {
          code: "ObjectsLeftOut",
          message: "14 objects with 48,211 bytes were left out because of their names, or because they are empty.",
        },
      ],
    }),
  ),
  nothing: task(
    12,
    ended("succeeded", "Succeeded", "08:00:10.000", {
      dateCreated: at("08:00:00.000"),
      progress: progress(1, 1, 0, 0, { chunksTotal: 0, chunksDone: 0, percent: 100 }),
      warnings: [
        {
          code: "NoObjects",
          message:
            "The lake has no object with records of type Event from 2026-01-05 to 2026-01-11: the export has no rows. Compare app, type and days with the lake.",
        },
      ],
    }),
  ),
  gone: task(
    13,
    ended("incomplete", "Failed", "09:20:00.000", {
      dateCreated: at("09:10:00.000"),
      manifestUrl: undefined,
      errorDetails:
        "2 chunks could not be exported: chunk 2: storage found no such container (ContainerNotFound); chunk 3: storage found no such container (ContainerNotFound). The files of 2 of 4 chunks are whole.",
      progress: progress(4, 4, 310_001, 6_200_017, { percent: 99, chunksFailed: 2 }),
    }),
  ),
  odd: task(14, {
    description: `${ODD}\n${"A description that never ends, and never will. ".repeat(20)}`.slice(0, 1024),
    askedBy: `${ODD}@chess.example`,
    container: `${CONTAINER}/${"folder-of-exports/".repeat(12)}here`,
    options: { asked: { filter: { names: { in: [ODD] } } }, resolved: { filter: { names: { in: [ODD, "x".repeat(300)] } } } },
    warnings: [{ code: "UnknownProperties", message: "`exportOption` is not known, and was ignored: correct it, or leave it out." }],
    ignored: { objects: 1, bytes: 4, first: [`events/${ODD}.tmp`] },
  }),
  cancelled: task(
    4,
    ended("cancelled", "Failed", "07:10:00.000", {
      exportType: "Activity",
      exportFormat: "JsonBlob",
      dateCreated: at("07:00:00.000"),
      errorDetails: "The job was cancelled. The files of 2 of 40 chunks are whole and listed in the manifest.",
      progress: progress(2, 40, 90_110, 20_100_000),
    }),
  ),
  feedback: task(
    3,
    ended("succeeded", "Succeeded", "06:02:00.000", {
      exportType: "Push",
      startDate: undefined,
      endDate: undefined,
      campaignType: "Poll",
      campaignIds: [7, 8, 21, 34],
      dateCreated: at("06:00:00.000"),
      progress: progress(4, 4, 4011, 30_100, { percent: 100 }),
    }),
  ),
};

/** The answer about one task, which has its history. */
export function inFull(one) {
  const phases = { queued: ["queued"], "awaiting-credential": ["queued", "planning", "running"], running: ["queued", "planning"] }[
    one.phase
  ] ?? ["queued", "planning", "running", "finishing"];
  const began = new Date(one.dateCreated).getTime();
  const before = phases
    .filter((phase) => phase !== one.phase)
    .map((phase, step) => ({ phase, since: new Date(began + step * 2300).toISOString() }));
  return { ...one, history: [...before, { phase: one.phase, since: one.phaseSince }] };
}

const source = (number) => ({
  object: `events/app=demo/date=2026-01-05/part-${String(number).padStart(5, "0")}.ndjson.gz`,
  etag: `"${number}"`,
  bytes: 40_000_000,
});
const dayOf = (number) => `2026-01-${String(5 + (number % 7)).padStart(2, "0")}`;

/** A chunk in a state. */
export function chunk(number, state, more = {}) {
  const counts =
    state === "recorded"
      ? { files: 1, ...COUNTS, recordsRead: 155_000 + number, rows: 155_000 + number, bytes: 3_100_000 + 17 * number }
      : {};
  return { chunk: number, state, attempt: state === "pending" ? 0 : 1, day: dayOf(number), ...counts, sources: [source(number)], ...more };
}

/** The chunks of a task of so many, of which so many are done. */
export const chunks = (
  done,
  total,
  then = (number) => chunk(number, number < done + 4 ? "running" : "pending", number < done + 4 ? { leaseUntil: at("10:35:00.000") } : {}),
) => Array.from({ length: total }, (_, number) => (number < done ? chunk(number, "recorded") : then(number)));

const MISSING = [
  {
    object: "crashes/date=2026-01-07/part-00003.ndjson.gz",
    reason:
      "was replaced or deleted after the export was planned: trying again cannot bring that version back; put it back as it was, or create the export anew",
    sources: [source(3)],
  },
];
export const LACKING = [
  ...chunks(4, 4),
  chunk(4, "recorded", { missing: MISSING }),
  chunk(5, "failed", {
    attempt: 5,
    reason:
      "storage found no such container (ContainerBeingDeleted; the container is being deleted: make another one, or wait until it can be made again)",
  }),
];

const hash = (number) =>
  String(number * 7_919 + 104_729)
    .padStart(8, "0")
    .repeat(8);
const file = (one, name) => `${one.exportType}/${one.id}/${name}`;

/** The files of a task, and its rejects. */
export function files(one, many) {
  const rows = Array.from({ length: many }, (_, number) => ({
    kind: "rows",
    name: file(one, `date=${dayOf(number)}/part-${String(number).padStart(5, "0")}.parquet`),
    chunk: number,
    day: dayOf(number),
    ...COUNTS,
    recordsRead: 346_000 + 31 * number,
    rows: 346_000 + 31 * number,
    bytes: 6_480_000 + 1013 * ((number * 37) % 41),
    sha256: hash(number),
    crc64: "0123456789abcdef",
    minTimestamp: `${dayOf(number)}T00:00:0${number % 10}.120Z`,
    maxTimestamp: `${dayOf(number)}T23:59:5${number % 10}.870Z`,
    sources: [source(number)],
  }));
  const rejected = {
    kind: "rejected",
    name: file(one, "_rejected/part-00002.ndjson"),
    chunk: 2,
    recordsRejected: 3,
    bytes: 1204,
    sha256: hash(900),
    crc64: "0123456789abcdef",
  };
  return [...rows, rejected];
}
