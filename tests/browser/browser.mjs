// Chromium, as npm brings it: nothing of this machine's is relied on, and nothing is left behind.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

// Where the browser and its profile are unpacked: a folder of this run alone.
const folder = mkdtempSync(join(tmpdir(), "engagement-export-browser-"));
process.env.TMPDIR = folder;
// As in Lambda, it brings the libraries that it needs.
process.env.AWS_EXECUTION_ENV = "AWS_Lambda_nodejs22.x";

const { default: packed } = await import("@sparticuz/chromium");
const { chromium } = await import("playwright-core");

// Its own arguments would turn off what is tested: which origin may read what.
const args = ["--no-sandbox", "--no-zygote", "--use-gl=angle", "--use-angle=swiftshader", "--in-process-gpu"];

// The fonts that npm brings, by name: without a font the browser dies at the first field of a form. What it brings itself looks
// for them in folders of Lambda.
function useOurFonts() {
  const dejavu = fileURLToPath(new URL("node_modules/dejavu-fonts-ttf/ttf", import.meta.url));
  const prefer = (family, font) => `<alias><family>${family}</family><prefer><family>${font}</family></prefer></alias>`;
  const config = `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>
    <dir>${join(folder, "fonts")}</dir><dir>${dejavu}</dir><cachedir>${join(folder, "fonts-cache")}</cachedir>
    ${prefer("system-ui", "Open Sans")}${prefer("sans-serif", "Open Sans")}${prefer("monospace", "DejaVu Sans Mono")}</fontconfig>`;
  process.env.FONTCONFIG_FILE = join(folder, "fonts.conf");
  writeFileSync(process.env.FONTCONFIG_FILE, config);
}

/** Runs what needs a browser, and ends the browser whatever comes of it. */
export async function withBrowser(use) {
  const executablePath = await packed.executablePath();
  useOurFonts();
  const browser = await chromium.launch({ executablePath, args });
  try {
    return await use(browser);
  } finally {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
