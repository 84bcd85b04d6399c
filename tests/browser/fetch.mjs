// Opens pages in Chromium and lets each send requests; prints what each could read, as JSON.
// Standard input: [{"page": address, "requests": [{"url", "method", "headers", "body", "read": [header]}]}].

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";

// Where the browser and its profile are unpacked: a folder of this run alone.
const folder = mkdtempSync(join(tmpdir(), "engagement-export-browser-"));
process.env.TMPDIR = folder;
// As in Lambda, it brings the libraries that it needs: nothing of this machine's is relied on.
process.env.AWS_EXECUTION_ENV = "AWS_Lambda_nodejs22.x";

const { default: packed } = await import("@sparticuz/chromium");
const { chromium } = await import("playwright-core");

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

// Its own arguments would turn off what is tested: which origin may read what.
const args = ["--no-sandbox", "--no-zygote", "--use-gl=angle", "--use-angle=swiftshader", "--in-process-gpu"];
const browser = await chromium.launch({ executablePath: await packed.executablePath(), args });
try {
  const read = [];
  for (const { page, requests } of JSON.parse(await text(process.stdin))) {
    const tab = await browser.newPage();
    await tab.goto(page);
    read.push(await tab.evaluate(fetchAll, requests));
  }
  process.stdout.write(JSON.stringify(read));
} finally {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
}
