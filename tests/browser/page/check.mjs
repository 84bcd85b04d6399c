// Every state of the page, in both themes, and then on a narrow screen: what axe finds, what does not fit, what the browser complains of, and
// whom else than the service the page asks. Prints the findings as JSON: none is how it should be. Arguments: the states, else all.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { withBrowser } from "../browser.mjs";
import { NOW } from "./samples.mjs";
import { serve } from "./service.mjs";
import { STATES, enter } from "./states.mjs";

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** The narrowest screen that the page is made for, in pixels. */
const NARROW = 360;

/** What the browser says of every answer that refuses, whatever the page makes of it. */
const OF_REFUSALS = "Failed to load resource: the server responded with a status of";

/** What axe finds in the page as it is. */
async function axe(page) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate((tags) => window.axe.run(document, { runOnly: tags, resultTypes: ["violations"] }), TAGS);
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `axe ${id}: ${node.html.slice(0, 160)} ${node.any[0]?.message ?? ""}`));
}

/** What is wider than the screen, other than what scrolls by itself. */
const tooWide = (page) =>
  page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    return scrollWidth > clientWidth ? [`${scrollWidth} pixels do not fit into ${clientWidth}`] : [];
  });

async function visit(browser, name, state, origin, colorScheme) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme, reducedMotion: "reduce" });
  const page = await context.newPage();
  const found = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type()) && !message.text().startsWith(OF_REFUSALS)) found.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => found.push(`thrown: ${error.stack}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(origin)) found.push(`asks ${request.url()}`);
  });
  await page.clock.setFixedTime(NOW);
  try {
    await enter(page, origin, state);
    found.push(...(await axe(page)));
    await page.setViewportSize({ width: NARROW, height: 640 });
    found.push(...(await tooWide(page)));
  } catch (error) {
    found.push(`cannot be entered: ${error.message}`);
  }
  await context.close();
  return found.map((what) => `${name}, ${colorScheme}: ${what}`);
}

let state;
const service = await serve(() => state);
const found = [];
const names = process.argv.slice(2);
await withBrowser(async (browser) => {
  for (const name of names.length > 0 ? names : Object.keys(STATES)) {
    state = STATES[name];
    const themes = ["light", "dark"].map((colorScheme) => visit(browser, name, state, service.origin, colorScheme));
    found.push(...(await Promise.all(themes)).flat());
  }
});
service.close();
process.stdout.write(JSON.stringify({ states: Object.keys(STATES).length, found }, null, 1));
