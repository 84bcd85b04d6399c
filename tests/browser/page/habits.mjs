// How the page asks, and what it does when answers are late, lost or refused: node habits.mjs NAME prints what was seen, as JSON.

import { readFile } from "node:fs/promises";
import { withBrowser } from "../browser.mjs";
import { APP, ODD, SAMPLES, containerUrl, inFull, task } from "./samples.mjs";
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
    const more = ["2026-01-05T08:00:00.25Z", [" in spaces", ""]].map((of) => ({
      exportType: "Event",
      exportFormat: "CsvBlob",
      startDate: "2026-01-05",
      endDate: "2026-01-05",
      options: { filter: typeof of === "string" ? { from: of } : { names: { in: of } } },
      isMore: true,
    }));
    const found = [];
    for (const { options = {}, isMore = false, ...fields } of [...asked, ...more]) {
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
      const isSaid = (await page.locator(".verdict.doubt", { hasText: "Copy as command" }).count()) === 1;
      if (isSaid !== isMore) found.push({ isSaid, options });
      await page.locator(".also > summary").click();
      const body = JSON.parse(/^\{.*\}$/m.exec(await page.locator(".also [aria-label=curl]").textContent())[0]);
      const { containerUrl: _, exportOptions = {}, ...again } = body;
      const { exportType: __, ...before } = fields;
      const sorted = (of) => JSON.stringify(of, [...new Set(JSON.stringify(of).match(/\w+/g))].sort());
      if (!isMore && sorted({ again, exportOptions }) !== sorted({ again: before, exportOptions: options }))
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

  /** Filters stand in the address, and are there again on the way back, by the browser's and by the page's own link. */
  async back(page, origin, seen, setAnswer) {
    const one = SAMPLES.incomplete;
    setAnswer(({ url }) =>
      url.pathname.endsWith(one.id) ? { json: inFull(one) } : { json: { value: url.pathname.includes(one.id) ? [] : [one] } },
    );
    await enter(page, origin, LIST);
    await page.selectOption("#filter-exportType", "Crash");
    await page.waitForURL(/\?exportType=Crash$/);
    const looks = () => page.locator("#filter-exportType").inputValue();
    const found = [];
    for (const goBack of [() => page.goBack(), () => page.click("text=All exports")]) {
      await page.click(".task h2 a");
      await page.waitForSelector(".standing");
      seen.length = 0;
      await goBack();
      await page.waitForSelector(".tasks");
      found.push([await looks(), seen.find(({ url }) => url.pathname.endsWith("exportTasks")).url.searchParams.get("exportType")]);
    }
    await page.click("text=Clear");
    await page.waitForURL((url) => url.hash === `#${APP}`);
    return { found, cleared: await looks() };
  },

  /** A refused field is marked, has the focus, and is called as the form calls it; what is changed then is not marked any more. */
  async refused(page, origin, seen, setAnswer) {
    const messages = {
      '`exportOptions.filter.names.in` is "a name": send an array of names of at most 64 characters.': "names",
      '`exportOptions.filter.deviceIds` is "x": send an array of ids of 32 hex digits, or of dashed GUIDs.': "deviceIds",
      "`exportOptions.filter` has 1,001 different names and device ids: send at most 1,000, and the rest in another request.": "names",
      "`exportOptions.filter.from` is 2026-01-05T09:00:00Z, which is not before `to`, 2026-01-05T08:00:00Z: send the earlier moment as `from`.":
        "after",
      "`exportOptions.columns` names `name` twice: send it once.": "columns",
      "`startDate` is 2026-01-05 and `endDate` 2027-01-11, a range of 372 days: send ranges of at most 366 days, both ends included.":
        "from",
      "`description` has 1,025 characters: shorten it.": "description",
      "containerUrl has the host example.com, which is not an Azure blob endpoint; use the primary one.": "container",
    };
    await enter(page, origin, FORM);
    await page.fill("#container", containerUrl("&sp=cw&se=2999-01-01T00:00:00Z"));
    const found = [];
    for (const [message, id] of Object.entries(messages)) {
      const code = message.startsWith("containerUrl") ? "ContainerUrlUnknownHost" : "InvalidField";
      setAnswer(() => ({ status: 400, json: { error: { code, message } } }));
      await page.getByRole("button", { name: "Check" }).click();
      await page.waitForSelector(".create .card.failed");
      const { active, invalid, beside } = await page.evaluate((at) => {
        const { activeElement } = document;
        const isThere = activeElement.id === at || activeElement.name.endsWith(at);
        return {
          active: isThere && activeElement.offsetParent !== null,
          invalid: document.querySelectorAll("[aria-invalid=true]").length,
          beside: document.getElementById(`${at}-wrong`).textContent,
        };
      }, id);
      const said = await page.innerText(".create .card.failed strong");
      await page.fill("#description", `after ${id}`);
      const left = await page.locator("[aria-invalid=true], .create .card.failed, [id$=-wrong]:not(:empty)").count();
      found.push({ id, active, invalid, beside, said, left });
    }
    return { found };
  },

  /** The form's fields are called as the API calls them, have its limits, and all that the API takes is in the form. */
  async names(page, origin) {
    const description = new URL("../../../shared/api/src/description/openapi.json", import.meta.url);
    const { schemas } = JSON.parse(await readFile(description, "utf8")).components;
    const named = (schema, before = "") =>
      Object.entries(schema.properties).flatMap(([name, of]) => {
        const inner = schemas[of.$ref?.split("/").at(-1)];
        return inner?.properties ? named(inner, `${before}${name}.`) : [before + name];
      });
    const asked = ["DaysExport", "DevicesExport", "CampaignsExport", "ActiveCampaignsExport"].flatMap((name) => named(schemas[name]));
    await enter(page, origin, FORM);
    const inForm = new Set();
    for (const choice of ["operation", "exportFormat"])
      for (const radio of await page.locator(`[name=${choice}]`).all()) {
        await radio.check();
        for (const type of ["activities", "events", "feedbackByCampaign"]) {
          if (choice === "exportFormat") await page.check(`[name=operation][value=${type}]`);
          const names = await page.$$eval(".create [name]", (fields) => fields.map((field) => field.name));
          for (const name of names) inForm.add(name);
        }
      }
    const how = (id) => page.locator(`#${id}-how`).textContent();
    const bound = async (id, name) => Number(await page.locator(`#${id}`).getAttribute(name));
    const { campaignIds } = schemas.CampaignsExport.properties;
    await page.check("[name=operation][value=feedbackByCampaign]");
    const isAsDescribed = {
      campaignIds: (await how("campaignIds")).includes(`up to ${campaignIds.maxItems}.`),
      description: (await bound("description", "maxlength")) === schemas.DaysExport.properties.description.maxLength,
      maxMiB: (await bound("maxMiB", "min")) * 2 ** 20 === schemas.ExportOptions.properties.maxFileBytes.minimum,
    };
    await page.check("[name=operation][value=events]");
    isAsDescribed.names = (await how("names")).includes(`at most ${schemas.FilterNames.items.maxLength} characters`);
    const own = ["operation", "notNames"];
    const api = new Set(asked);
    return {
      asked: api.size,
      notInForm: [...api].filter((name) => !inForm.has(name)),
      otherLimits: Object.keys(isAsDescribed).filter((field) => !isAsDescribed[field]),
      notInApi: [...inForm].filter((name) => !api.has(name) && !own.includes(name)),
    };
  },

  /** Days that the service will not take, or that are not over, are said before anything is sent. */
  async limits(page, origin, seen) {
    await page.clock.setFixedTime("2026-01-12T10:20:00Z");
    await enter(page, origin, FORM);
    seen.length = 0;
    const said = {};
    for (const [from, to] of [
      ["2026-01-05", "2026-01-11"],
      ["2026-01-05", "2026-01-12"],
      ["2026-01-13", "2026-01-14"],
      ["2025-12-12", "2026-01-11"],
      ["2025-12-11", "2026-01-11"],
      ["2026-01-11", "2026-01-05"],
    ]) {
      await page.fill("#from", from);
      await page.fill("#to", to);
      await page.evaluate(() => fetch("config.json"));
      said[`${from} ${to}`] = await page.locator("#range .doubt").allInnerTexts();
    }
    await page.check("[name=operation][value=devices]");
    await page.check("[name=operation][value=crashes]");
    return { said, sent: seen.length, typed: await page.inputValue("#from") };
  },

  /** An answer that is none of the service's is said to be so, wherever it comes, and what to do; so is a defect that has no id. */
  async unexpected(page, origin, seen, setAnswer) {
    const answers = {
      html: { text: "<!doctype html><title>Sign in</title>", headers: { "content-type": "text/html" } },
      empty: { json: {} },
      list: { json: { value: [{}] } },
      text: { status: 502, text: "Bad gateway" },
      defect: { status: 500, text: '{"message":"Internal Server Error"}', headers: { "content-type": "application/json" } },
      gateway: {
        status: 500,
        text: '{"message":"Internal Server Error"}',
        headers: { "content-type": "application/json", "apigw-requestid": "gateway-7" },
      },
    };
    const found = {};
    for (const [name, of] of Object.entries(answers)) {
      setAnswer(() => of);
      const said = [];
      for (const place of [LIST, { address: `${APP}/${SAMPLES.running.id}` }]) {
        await enter(page, origin, { ...place, ready: ".card.failed" });
        said.push(await page.innerText("main"));
        await page.goto("about:blank");
      }
      await enter(page, origin, FORM);
      await page.fill("#container", containerUrl("&sp=cw&se=2999-01-01T00:00:00Z"));
      await page.getByRole("button", { name: "Create the export" }).click();
      said.push(await page.innerText(".create .card.failed"));
      await page.goto("about:blank");
      found[name] = said;
    }
    return found;
  },

  /** What is not seen in a text of somebody is shown, turns nothing around it, and is copied as it is. */
  async texts(page, origin, seen, setAnswer) {
    const { odd } = SAMPLES;
    setAnswer(({ url }) => ({
      json: url.pathname.endsWith(odd.id) ? inFull(odd) : { value: /s$/.test(url.pathname.split(odd.id)[1] ?? "") ? [] : [odd] },
    }));
    const hidden = () =>
      page.evaluate(() => {
        const raw = /[\u202e\u200b\u0007]/;
        const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        const found = [];
        while (walker.nextNode())
          if (raw.test(walker.currentNode.data) && !walker.currentNode.parentElement.matches(".odd")) found.push(walker.currentNode.data);
        const { title } = document;
        return [...found, ...(raw.test(title) ? [title] : [])];
      });
    await enter(page, origin, LIST);
    const inList = await hidden();
    const heading = await page.innerText(".task h2");
    await page.click(".task h2 a");
    await page.waitForSelector(".standing");
    const inView = await hidden();
    const isolated = await page.locator("h1 bdi").count();
    const whole = await page.locator("dl.wide dd").first().innerText();
    const code = await page.locator(".warnings code").allInnerTexts();
    await page.click("text=Export again");
    await page.locator(".also > summary").click();
    const command = await page.locator(".also [aria-label='the command'] code").textContent();
    const inForm = await hidden();
    return { inList, inView, inForm, heading, isolated, whole, code, isExact: command.includes(ODD) };
  },

  /** An address whose path the browser would make another of is not followed, and said to be none. */
  async paths(page, origin, seen) {
    const odd = ["..", ".", "%2e%2E", "a%2Fb", "a%5cb", "a\\..", "%ff", "a%0ab"].map((name) => APP.replace("studio", name));
    await enter(page, origin, { address: APP, ready: ".empty" });
    const found = [];
    for (const address of [...odd, "no-path", "/subscriptions/x"]) {
      seen.length = 0;
      await page.goto(`${origin}/ui/#/apps`);
      await page.waitForSelector("#app");
      await page.goto(`${origin}/ui/#${address}`);
      const said = await page.locator(".card.failed strong").innerText();
      found.push({
        address,
        said,
        asked: seen.length,
        isKept: await page.evaluate(() => localStorage.getItem("engagement-export.apps").includes("..")),
      });
    }
    await page.goto(`${origin}/ui/#${APP.replace("studio", "my%20studio")}`);
    await page.waitForSelector(".empty");
    return { found, bar: await page.innerText("a.app") };
  },

  /** A copied text says beside it what it needs, and how one comes by that. */
  async needs(page, origin, seen, setAnswer) {
    const one = SAMPLES.succeeded;
    setAnswer(({ url }) => ({ json: url.pathname.endsWith(one.id) ? inFull(one) : { value: url.pathname.includes(one.id) ? [] : [one] } }));
    await enter(page, origin, LIST);
    const said = {};
    for (const what of ["command", "curl"]) {
      await page.locator(".menu summary").click();
      await page.click(`text=Copy as ${what}`);
      said[what] = await page.innerText("dialog");
      await page.keyboard.press("Escape");
    }
    await page.click(".task h2 a");
    said.verify = await page.locator("[data-key=verify]:has(pre)").innerText();
    return said;
  },

  /** A next page that fails is said where it was asked for; a link that leads nowhere says so, and is not where the page begins. */
  async astray(page, origin, seen, setAnswer) {
    setAnswer(({ url }) =>
      url.searchParams.has("$skip") && url.searchParams.get("$skip") !== "0"
        ? refused(503, "ServiceUnavailable")
        : {
            json: {
              value: [SAMPLES.running],
              nextLink: `https://elsewhere.example.com${url.pathname}?$skip=10&$top=10&api-version=2014-12-01`,
            },
          },
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
    await page.waitForSelector(".said .verdict");
    return { older, nowhere, isKept };
  },
};

const seen = [];
let answer = () => ({ json: { value: [] } });
const service = await serve(() => ({
  config: { maxRangeDays: 31 },
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
