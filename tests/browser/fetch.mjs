// Opens pages in Chromium and lets each send requests; prints what each could read, as JSON.
// Standard input: [{"page": address, "requests": [{"url", "method", "headers", "body", "read": [header]}]}].

import { text } from "node:stream/consumers";
import { withBrowser } from "./browser.mjs";

// What the page, which this runs in, can read of the answers.
const fetchAll = (requests) =>
  Promise.all(
    requests.map(async ({ url, read, ...options }) => {
      try {
        const answer = await fetch(url, options);
        const headers = Object.fromEntries(read.map((name) => [name, answer.headers.get(name)]));
        return { status: answer.status, headers, body: await answer.text() };
      } catch (error) {
        return { refused: String(error) };
      }
    }),
  );

const visits = JSON.parse(await text(process.stdin));
await withBrowser(async (browser) => {
  const read = [];
  for (const { page, requests } of visits) {
    const tab = await browser.newPage();
    await tab.goto(page);
    read.push(await tab.evaluate(fetchAll, requests));
  }
  process.stdout.write(JSON.stringify(read));
});
