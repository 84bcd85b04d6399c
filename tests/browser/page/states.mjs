// Every view of the page in every state that it can be in.

import { APP, LACKING, SAMPLES, chunk, chunks, containerUrl, files, inFull, progress, task } from "./samples.mjs";

const refused = (status, code, message) => () => ({ status, json: { error: { code, message } } });
const TOKEN = `e30.${Buffer.from(JSON.stringify({ sub: "mira@chess.example" })).toString("base64url")}.`;

/** A service with these tasks, and these chunks and files of each. */
function service(tasks, { ofChunks = [], ofFiles = [], checks, creates } = {}) {
  return ({ method, url }) => {
    const [, id, part] = /\/exportTasks(?:\/([^/]+))?(?:\/([^/]+))?$/.exec(url.pathname);
    if (method === "POST") return part === "check" ? checks() : creates();
    if (!id) return { json: { value: tasks } };
    if (part === "chunks") return paged(url, ofChunks);
    if (part === "files") return paged(url, ofFiles);
    const one = tasks.find((known) => known.id === id);
    return one
      ? { json: inFull(one), headers: { "retry-after": "60" } }
      : refused(404, "TaskNotFound", "The app has no task of this id.")();
  };
}

/** A page of a thousand, as the service answers it. */
function paged(url, all) {
  const at = Number(url.searchParams.get("$skiptoken")?.split("-")[2] ?? 0);
  const more =
    at + 1000 < all.length
      ? { nextLink: `https://elsewhere.example.com${url.pathname}?$skiptoken=0-0-${at + 1000}&api-version=2014-12-01` }
      : {};
  return { json: { value: all.slice(at, at + 1000), ...more } };
}

const list = (tasks, more = {}) => ({ address: APP, answer: service(tasks), ready: ".tasks, .empty, .card", ...more });
const one = (sample, parts = {}, more = {}) => ({
  address: `${APP}/${sample.id}`,
  answer: service([sample], parts),
  ready: ".standing, .card",
  ...more,
});
const form = (then, more = {}, parts = {}) => ({ address: `${APP}/new`, answer: service([], parts), ready: "#container", then, ...more });

const many = task(1, {
  description: "A year of events",
  startDate: "2025-01-01",
  endDate: "2025-12-31",
  progress: progress(6204, 10_000, 980_114_200, 18_400_118_233, {
    chunksFailed: 2,
    rowsPerSecond: 41_200,
    estimatedCompletion: "2026-01-12T16:45:00Z",
  }),
});
const MANY = chunks(6204, 10_000, (number) =>
  chunk(
    number,
    number % 2500 === 0 ? "failed" : number < 6300 ? "running" : "pending",
    number % 2500 === 0 ? { reason: "every attempt at it failed" } : {},
  ),
);
const { gone, odd, running, waiting, stuck, ending, queued, incomplete, succeeded, cancelled, feedback } = SAMPLES;
const FILES = files(succeeded, 62);
const open = (page, text) => page.locator("summary", { hasText: text }).first().click();

/** By name: where it is, what the service answers, what is waited for, and what is done then; `isOut` without a token. */
export const STATES = {
  "sign-in": { address: APP, isOut: true, answer: service([]), ready: "#token" },
  "sign-in-at-an-issuer": {
    address: APP,
    isOut: true,
    answer: service([]),
    config: { issuer: "https://login.example.com/", clientId: "page", scope: "openid" },
    ready: "text=or paste a token",
  },
  "sign-in-again": { address: APP, answer: () => ({ status: 401, json: { message: "Unauthorized" } }), ready: ".card.failed" },
  "apps-none": { address: "/apps", forgets: true, answer: service([]), ready: "#app" },
  "apps-wrong": {
    address: "/apps",
    answer: service([]),
    ready: "#app",
    then: async (page) => {
      await page.fill("#app", "/chess");
      await page.keyboard.press("Enter");
    },
  },
  "apps-odd-link": { address: APP.replace("studio", ".."), answer: service([]), ready: ".card.failed" },
  "list-empty": list([]),
  list: list([running, waiting, queued, incomplete, succeeded, cancelled, feedback]),
  "list-nothing-fits": list([], {
    then: async (page) => {
      await page.selectOption("#filter-state", "Failed");
      await page.waitForSelector("text=Show all");
    },
  }),
  "list-no-answer": list([], { answer: refused(503, "ServiceUnavailable", "A part of the service does not answer.") }),
  "list-no-grant": list([], { answer: refused(403, "Forbidden", "The caller has no grant for this app.") }),
  "list-of-a-proxy": list([], {
    answer: () => ({ text: "<!doctype html><title>Sign in to the network</title>", headers: { "content-type": "text/html" } }),
  }),
  "list-of-nothing": list([], { answer: () => ({ json: {} }) }),
  "list-defect": list([], {
    answer: () => ({
      status: 500,
      text: '{"message":"Internal Server Error"}',
      headers: { "content-type": "application/json" },
    }),
  }),
  "list-odd": list([SAMPLES.odd, running]),
  "list-filtered": list([incomplete, cancelled], { address: `${APP}?state=Failed&since=7` }),
  "list-copied": list([running], {
    then: async (page) => {
      await open(page, "More");
      await page.click("text=Copy as curl");
      await page.waitForSelector("dialog");
    },
  }),
  "list-copy": list([running, waiting], { then: (page) => open(page, "More") }),
  "list-renew": list([waiting], {
    then: async (page) => {
      await page.click("text=Renew signature");
      await page.fill("dialog input", containerUrl("&sp=rl&se=2026-01-13T12:00:00Z"));
      await page.waitForSelector(".said .verdict.bad");
    },
  }),
  "list-cancel": list([running], { then: (page) => page.getByRole("button", { name: "Cancel" }).click() }),
  new: form(async (page) => {
    await page.fill("#container", containerUrl());
    await page.waitForSelector(".said .verdict");
  }),
  "new-options": form(async (page) => {
    await page.click("text=CSV");
    await open(page, "Filter");
    await open(page, "Export options");
    await open(page, "The same as a command");
    await page.waitForSelector(".also pre");
  }),
  "new-too-long": form(
    async (page) => {
      await page.fill("#from", "2024-01-01");
      await page.waitForSelector("#range .doubt");
    },
    { config: { maxRangeDays: 366 } },
  ),
  "new-refused-filter": form(
    async (page) => {
      await page.fill("#container", containerUrl());
      await open(page, "Filter");
      await page.fill("#deviceIds", "not-an-id");
      await open(page, "Filter");
      await page.getByRole("button", { name: "Check" }).click();
      await page.waitForSelector("#deviceIds-wrong:not(:empty)");
    },
    {},
    {
      checks: refused(
        400,
        "InvalidField",
        '`exportOptions.filter.deviceIds` is "not-an-id": send an array of ids of 32 hex digits, or of dashed GUIDs.',
      ),
    },
  ),
  "new-campaigns": form((page) => page.click("text=Push feedback by campaign")),
  "new-read-only": form(async (page) => {
    await page.fill("#container", containerUrl("&sp=rl&se=2026-01-13T12:00:00Z"));
    await page.waitForSelector(".said .verdict.bad");
  }),
  "new-refused": form(
    async (page) => {
      await page.fill("#container", containerUrl());
      await page.getByRole("button", { name: "Create the export" }).click();
      await page.waitForSelector(".card.failed");
    },
    {},
    {
      creates: refused(400, "ContainerNotFound", "storage does not know the container (ContainerNotFound): create it, or correct its name"),
    },
  ),
  "task-queued": one(queued),
  "task-running": one(
    running,
    { ofChunks: chunks(31, 48), ofFiles: files(running, 31) },
    { then: (page) => page.waitForSelector(".grid") },
  ),
  "task-waiting": one(
    waiting,
    { ofChunks: chunks(12, 20, (number) => chunk(number, "parked")), ofFiles: files(waiting, 12) },
    { then: (page) => page.waitForSelector(".grid") },
  ),
  "task-stuck": one(stuck, { ofChunks: chunks(3, 20), ofFiles: files(stuck, 3) }),
  "task-ending": one(ending, { ofChunks: chunks(31, 48), ofFiles: files(ending, 31) }),
  "task-incomplete": one(
    incomplete,
    { ofChunks: LACKING, ofFiles: files(incomplete, 5) },
    { then: (page) => page.waitForSelector(".troubles") },
  ),
  "task-succeeded": one(succeeded, { ofChunks: chunks(62, 62), ofFiles: FILES }, { then: (page) => page.waitForSelector("tbody tr") }),
  "task-rejects": one(succeeded, { ofChunks: chunks(62, 62), ofFiles: FILES }, { then: (page) => page.click("#tab-rejected") }),
  "task-ignored": one(succeeded, { ofChunks: chunks(62, 62), ofFiles: FILES }, { then: (page) => page.click("#tab-ignored") }),
  "task-cancelled": one(
    cancelled,
    { ofChunks: chunks(2, 40, (number) => chunk(number, "cancelled", { reason: "the job was cancelled" })), ofFiles: files(cancelled, 2) },
    { then: (page) => page.waitForSelector(".grid") },
  ),
  "task-feedback": one(
    feedback,
    { ofChunks: chunks(4, 4), ofFiles: files(feedback, 4) },
    { then: (page) => page.waitForSelector("tbody tr") },
  ),
  "task-10000-chunks": one(
    many,
    { ofChunks: MANY, ofFiles: files(many, 6204) },
    { then: (page) => page.waitForSelector(".grid >> text=/^$/ >> nth=499", { state: "attached" }) },
  ),
  "task-without-rows": one(SAMPLES.nothing),
  "task-container-gone": one(
    gone,
    {
      ofChunks: chunks(2, 4, (number) => chunk(number, "failed", { reason: "storage found no such container (ContainerNotFound)" })),
      ofFiles: files(gone, 2),
    },
    { then: (page) => page.waitForSelector(".troubles") },
  ),
  "task-odd": one(odd, { ofChunks: chunks(2, 4), ofFiles: files(odd, 2) }, { then: (page) => page.click("#tab-ignored") }),
  "task-of-nothing": { address: `${APP}/${running.id}`, answer: () => ({ json: {} }), ready: ".card.failed" },
  "task-unknown": { address: `${APP}/${running.id}`, answer: service([]), ready: ".card.failed" },
};

/** Brings a page into a state. */
export async function enter(page, origin, state) {
  const remembered = state.forgets ? [] : [APP.replace("chess", "My%20Notes")];
  await page.addInitScript((apps) => localStorage.setItem("engagement-export.apps", JSON.stringify(apps)), remembered);
  await page.goto(`${origin}/ui/#${state.address}`);
  if (!state.isOut) {
    await page.fill("#token", TOKEN);
    await page.keyboard.press("Enter");
  }
  await page.waitForSelector(state.ready);
  await state.then?.(page);
}
