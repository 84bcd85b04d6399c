// What the page says, in a browser, of every URL of ../signatures.json. Prints what differs: nothing is how it should be.

import { readFile } from "node:fs/promises";
import { withBrowser } from "../browser.mjs";
import { serve } from "./service.mjs";
import { STATES, enter } from "./states.mjs";

const { now, endpoints, cases } = JSON.parse(await readFile(new URL("../signatures.json", import.meta.url), "utf8"));

/** In the page: the explanation of each, and the words that are shown of it. */
async function explainAll({ now, endpoints, urls }) {
  const { explain } = await import("/ui/signature.js");
  const { explained } = await import("/ui/explained.js");
  const said = (nodes) =>
    nodes
      .flat(Infinity)
      .map((node) => node?.textContent ?? "")
      .join(" ");
  return urls.map((url) => ({ ...explain(url, new Date(now), endpoints), words: said(explained(url, null, endpoints)) }));
}

const instant = (moment) => (moment === null ? null : new Date(moment).getTime());
const service = await serve(() => STATES["list-empty"]);
const found = [];
await withBrowser(async (browser) => {
  const page = await browser.newPage();
  await page.clock.setFixedTime(now);
  await enter(page, service.origin, STATES["list-empty"]);
  const explained = await page.evaluate(explainAll, { now, endpoints, urls: cases.map(({ url }) => url) });
  for (const [at, expected] of cases.entries()) {
    const { from, until, words, ...rest } = explained[at];
    const same = { from: instant(from), until: instant(until), ...rest };
    for (const [name, value] of Object.entries(same)) {
      const right = ["from", "until"].includes(name) ? instant(expected[name]) : expected[name];
      if (value !== right) found.push(`${expected.name}: ${name} is ${value}, and not ${right}`);
    }
    // Whether it is taken, only the service knows: of what reads well, nothing is promised.
    const isRight =
      words.includes("✗") === (expected.verdict !== "accepted") && words.includes("are tried when you send it") !== words.includes("✗");
    if (words.includes("undefined") || words.includes("✓") || !isRight) found.push(`${expected.name}: ${words}`);
    if (expected.addresses && !words.includes(expected.addresses))
      found.push(`${expected.name}: nobody is told of its addresses: ${words}`);
    const signature = new URLSearchParams(expected.url.split("?")[1]).get("sig");
    if (signature && words.includes(signature)) found.push(`${expected.name}: its signature is shown`);
  }
});
service.close();
process.stdout.write(JSON.stringify({ cases: cases.length, found }, null, 1));
