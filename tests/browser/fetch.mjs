// Opens a page in Chromium and lets it send requests; prints what the page could read, as JSON.
// Standard input: {"page": address, "requests": [{"url", "method", "headers", "body", "read": [header]}]}.

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

const asked = JSON.parse(await text(process.stdin));
// Its own arguments would turn off what is tested: which origin may read what.
const args = ["--no-sandbox", "--no-zygote", "--use-gl=angle", "--use-angle=swiftshader", "--in-process-gpu"];
const browser = await chromium.launch({ executablePath: await packed.executablePath(), args });
try {
  const page = await browser.newPage();
  await page.goto(asked.page);
  const answers = await page.evaluate(
    (requests) =>
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
      ),
    asked.requests,
  );
  process.stdout.write(JSON.stringify(answers));
} finally {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
}
