// What a first visit to each view loads, without the library of the sign-in, in bytes; and how long after the API's answer the first
// list stands there, in milliseconds, of VISITS visits the median and the worst: node loads.mjs [VISITS].

import { withBrowser } from "../browser.mjs";
import { NOW } from "./samples.mjs";
import { serve } from "./service.mjs";
import { STATES, enter } from "./states.mjs";

const visits = Number(process.argv[2] ?? 1);
const VIEWS = { list: "list", "new export": "new", "one export": "task-waiting", "one that has ended": "task-incomplete" };

/** The bytes of the page's own files that a visit loads. */
async function bytes(browser, origin, state) {
  const page = await browser.newPage();
  const sizes = [];
  await page.clock.setFixedTime(NOW);
  page.on("response", (answer) => {
    if (answer.url().startsWith(`${origin}/ui/`) && !answer.url().includes("/vendor/"))
      sizes.push(answer.body().then(({ length }) => length));
  });
  await enter(page, origin, state);
  const all = await Promise.all(sizes);
  await page.close();
  return all.reduce((sum, size) => sum + size, 0);
}

/** From the last byte of the API's first answer to when the list is drawn, and the browser has painted it. */
async function toFirstList(browser, origin) {
  const page = await browser.newPage();
  await enter(page, origin, STATES.list);
  const milliseconds = await page.evaluate(async () => {
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    const answered = performance.getEntriesByType("resource").find(({ name }) => name.includes("/exportTasks?")).responseEnd;
    return performance.getEntriesByName("first list")[0].startTime - answered;
  });
  await page.close();
  return milliseconds;
}

let state;
const service = await serve(() => state);
await withBrowser(async (browser) => {
  const loads = {};
  for (const [view, name] of Object.entries(VIEWS)) {
    state = STATES[name];
    loads[view] = await bytes(browser, service.origin, state);
  }
  state = STATES.list;
  const times = [];
  for (let visit = 0; visit < visits; visit += 1) times.push(await toFirstList(browser, service.origin));
  times.sort((one, other) => one - other);
  const [median, worst] = [times[Math.floor(times.length / 2)], times.at(-1)].map((time) => Math.round(10 * time) / 10);
  process.stdout.write(`${JSON.stringify({ bytes: loads, firstListAfterTheAnswerMs: { median, worst, visits } }, null, 1)}\n`);
});
service.close();
