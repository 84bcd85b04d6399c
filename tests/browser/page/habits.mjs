// How the page asks, and what it does when answers are late, lost or refused: node habits.mjs NAME prints what was seen, as JSON.

import { withBrowser } from "../browser.mjs";
import { APP, SAMPLES, containerUrl, task } from "./samples.mjs";
import { serve } from "./service.mjs";
import { enter } from "./states.mjs";

const TAG = 'W/"0123456789abcdef0123456789abcdef"';
const refused = (status, code) => ({ status, json: { error: { code, message: "Not now: try again." } } });
const LIST = { address: APP, ready: ".tasks" };
const FORM = { address: `${APP}/new`, ready: "#container" };

const HABITS = {
  /** A list with work going on is asked for by what is known of it, often while it is looked at, and seldom while not. */
  async polling(page, origin, seen, setAnswer) {
    setAnswer(({ headers }) =>
      headers["if-none-match"] === TAG
        ? { status: 304, headers: { etag: TAG } }
        : { json: { value: [SAMPLES.running] }, headers: { etag: TAG } },
    );
    await page.clock.install({ time: "2026-01-12T10:20:00Z" });
    await enter(page, origin, LIST);
    const during = async (milliseconds) => {
      const before = seen.length;
      // In steps, so that each answer comes before the next question is due.
      for (let passed = 0; passed < milliseconds; passed += 1000) {
        await page.clock.runFor(1000);
        await page.evaluate(() => fetch("config.json"));
      }
      return seen.length - before;
    };
    const looked = await during(30_000);
    await page.evaluate(() => {
      Object.defineProperty(document, "hidden", { get: () => true, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    });
    // The question that was due when it was hidden.
    await during(5000);
    const hidden = await during(55_000);
    const asleep = seen.length;
    await page.evaluate(() => {
      delete document.hidden;
      document.dispatchEvent(new Event("visibilitychange"));
    });
    await during(1000);
    const again = seen.length - asleep;
    const tags = seen.slice(1).map(({ headers }) => headers["if-none-match"]);
    return { looked, hidden, again, isByTag: tags.every((tag) => tag === TAG), rows: await page.locator(".task").count() };
  },

  /** A creation whose answer is lost is sent again under its key; another one has another key. */
  async keys(page, origin, seen, setAnswer) {
    setAnswer(({ method }) => (method === "POST" ? refused(503, "ServiceUnavailable") : { json: { value: [] } }));
    await enter(page, origin, FORM);
    await page.fill("#container", containerUrl("&sp=cw&se=2999-01-01T00:00:00Z"));
    const keys = [];
    for (const change of [false, false, true]) {
      if (change) await page.fill("#description", "another");
      const sent = page.waitForResponse((answer) => answer.request().method() === "POST");
      await page.getByRole("button", { name: "Create the export" }).click();
      keys.push((await sent).request().headers()["idempotency-key"]);
      await page.waitForSelector(".create .card.failed");
      await page.waitForSelector("[type=submit]:not([disabled])");
    }
    return {
      isRepeated: keys[0] === keys[1],
      isNew: keys[1] !== keys[2],
      said: await page.innerText(".create .card.failed"),
      focus: await page.evaluate(() => document.activeElement.textContent),
      field: (await page.inputValue("#container")) !== "",
    };
  },

  /** A token that expires in the midst of the form is asked for beside it. */
  async expiry(page, origin, seen, setAnswer) {
    setAnswer(() => ({ status: 401, json: { message: "Unauthorized" } }));
    await enter(page, origin, FORM);
    await page.fill("#description", "long thought about");
    await page.fill("#container", containerUrl("&sp=cw&se=2999-01-01T00:00:00Z"));
    await page.getByRole("button", { name: "Check" }).click();
    await page.fill("dialog #token", "e30.e30.");
    setAnswer(() => ({
      json: {
        exportType: "Event",
        container: { url: "https://chessdata.blob.core.windows.net/exports" },
        options: { asked: {}, resolved: {} },
        warnings: [],
      },
    }));
    await page.keyboard.press("Enter");
    await page.waitForSelector("dialog", { state: "detached" });
    await page.getByRole("button", { name: "Check" }).click();
    await page.waitForSelector(".create .card.done");
    return { description: await page.inputValue("#description"), bearer: seen.at(-1).headers.authorization };
  },

  /** A URL with a signature that is pasted where the app's path belongs is remembered nowhere, also one that holds a path. */
  async strays(page, origin, seen, setAnswer) {
    setAnswer(() => ({ json: { value: [] } }));
    await enter(page, origin, { address: "/apps", ready: "#app", forgets: true });
    await page.fill("#app", containerUrl());
    await page.keyboard.press("Enter");
    const wrong = await page.innerText("#app-wrong");
    await page.fill("#app", `https://exports.example.com${APP}/devices/exportTasks?sig=not-a-signature`);
    await page.keyboard.press("Enter");
    await page.waitForSelector(".empty");
    return {
      wrong,
      kept: await page.evaluate(() => localStorage.getItem("engagement-export.apps")),
      address: new URL(page.url()).hash.slice(1),
      app: APP,
    };
  },

  /** An export that is asked for again is asked for as it was, by form, whatever it was. */
  async again(page, origin, seen, setAnswer) {
    const asked = [
      { startDate: "2026-01-05", endDate: "2026-01-06", exportFormat: "CsvBlob", description: "as before" },
      {
        exportType: "Activity",
        exportFormat: "JsonBlob",
        startDate: "2025-12-31",
        endDate: "2026-01-01",
        options: {
          exportDeviceId: true,
          maxFileBytes: 33554432,
          filter: { names: { in: ["home", "settings"] }, from: "2025-12-31T08:00:30Z" },
        },
      },
      {
        exportType: "Event",
        exportFormat: "JsonLinesBlob",
        startDate: "2026-01-05",
        endDate: "2026-01-05",
        options: {
          compression: "none",
          columns: ["deviceId", "name"],
          filter: {
            names: { notIn: ["login"] },
            deviceIds: ["0123456789abcdef0123456789abcdef"],
            session: "present",
            to: "2026-01-05T09:00:00Z",
          },
        },
      },
      {
        exportType: "Push",
        exportFormat: "ParquetBlob",
        campaignType: "Poll",
        campaignIds: [7, 8],
        options: { exportUserId: true, columns: ["deviceId", "userId"] },
      },
      {
        exportType: "Push",
        exportFormat: "CsvBlob",
        campaignType: "DataPush",
        campaignWindowStart: "2026-01-05T00:00:00Z",
        campaignWindowEnd: "2026-01-06T12:30:00Z",
        options: { byteOrderMark: true, escapeFormulas: true },
      },
      { exportType: "Device", exportFormat: "ParquetBlob" },
    ];
    const found = [];
    for (const { options = {}, ...fields } of asked) {
      const days = { startDate: undefined, endDate: undefined };
      const one = task(1, {
        ...SAMPLES.succeeded,
        description: undefined,
        ...days,
        id: task(1).id,
        ...fields,
        options: { asked: options, resolved: options },
      });
      setAnswer(({ url }) => ({ json: /(chunks|files)$/.test(url.pathname) ? { value: [] } : { ...one, history: [] } }));
      await enter(page, origin, { address: `${APP}/${one.id}`, ready: ".standing" });
      await page.click("text=Export again");
      await page.waitForSelector("#container");
      const body = JSON.parse(/^\{.*\}$/m.exec(await page.locator(".also pre").nth(1).textContent())[0]);
      const { containerUrl: _, exportOptions = {}, ...again } = body;
      const { exportType: __, ...before } = fields;
      const sorted = (of) => JSON.stringify(of, [...new Set(JSON.stringify(of).match(/\w+/g))].sort());
      if (sorted({ again, exportOptions }) !== sorted({ again: before, exportOptions: options }))
        found.push({ before, options, again, exportOptions });
      await page.reload();
    }
    return { asked: asked.length, found };
  },

  /** Filters are the API's, and older exports come page by page, from the page's own service. */
  async pages(page, origin, seen, setAnswer) {
    const sample = (number) => task(number, { ...SAMPLES.succeeded, id: task(number).id, description: `Number ${number}` });
    setAnswer(({ url }) => ({
      json: url.searchParams.get("$skip")
        ? { value: [sample(20), sample(21)] }
        : {
            value: [sample(19), sample(20)],
            nextLink: `https://elsewhere.example.com${url.pathname}?$skip=10&$top=10&api-version=2014-12-01`,
          },
    }));
    await enter(page, origin, LIST);
    await page.click("text=Show older exports");
    await page.waitForSelector("text=Number 21");
    const rows = await page.locator(".task h2").allInnerTexts();
    const filtered = page.waitForResponse((answer) => answer.url().includes("state=Failed"));
    await page.selectOption("#filter-state", "Failed");
    await filtered;
    const typed = page.waitForResponse((answer) => answer.url().includes("exportType=Crash"));
    await page.selectOption("#filter-exportType", "Crash");
    return { rows, asked: Object.fromEntries(new URL((await typed).url()).searchParams) };
  },

  /** A next page that fails is said where it was asked for; a link that leads nowhere says so, and is not where the page begins. */
  async astray(page, origin, seen, setAnswer) {
    setAnswer(({ url }) =>
      url.searchParams.has("$skip") && url.searchParams.get("$skip") !== "0"
        ? refused(503, "ServiceUnavailable")
        : { json: { value: [SAMPLES.running], nextLink: `https://elsewhere.example.com${url.pathname}?$skip=10&$top=10&api-version=2014-12-01` } },
    );
    await enter(page, origin, LIST);
    await page.click("text=Show older exports");
    const older = await page.locator(".tasks ~ .failed").innerText();
    const kept = () => page.evaluate(() => localStorage.getItem("engagement-export.apps"));
    const before = await kept();
    await page.goto(`${origin}/ui/#${APP.replace("chess", "other")}/01a2301c`);
    const nowhere = await page.locator("main h1", { hasText: "This link leads to no export" }).innerText();
    const isKept = before === (await kept());
    await page.goto(`${origin}/ui/#${FORM.address}`);
    await page.fill("#container", `CONTAINER_URL='${containerUrl("&sp=cw&se=2999-01-01T00:00:00Z")}'`);
    await page.waitForSelector(".verdict.good");
    return { older, nowhere, isKept };
  },
};

const seen = [];
let answer = () => ({ json: { value: [] } });
const service = await serve(() => ({
  answer: (request) => {
    seen.push(request);
    return answer(request);
  },
}));
await withBrowser(async (browser) => {
  const page = await browser.newPage();
  const setAnswer = (next) => {
    answer = next;
  };
  process.stdout.write(JSON.stringify(await HABITS[process.argv[2]](page, service.origin, seen, setAnswer)));
});
service.close();
