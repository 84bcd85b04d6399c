// Pictures of states, in both themes: node shoot.mjs FOLDER [WIDTH STATE…]. Without states, those that the docs show, as a screen shows
// them, but for the form; else whole.

import { join } from "node:path";
import { withBrowser } from "../browser.mjs";
import { NOW } from "./samples.mjs";
import { serve } from "./service.mjs";
import { STATES, enter } from "./states.mjs";

const SHOWN = ["list", "new", "task-running", "task-waiting", "task-incomplete", "task-succeeded"];
const [folder, width = "1280", ...names] = process.argv.slice(2);
const isForDocs = names.length === 0;

let state;
const service = await serve(() => state);
await withBrowser(async (browser) => {
  for (const name of isForDocs ? SHOWN : names)
    for (const colorScheme of ["light", "dark"]) {
      state = STATES[name];
      const context = await browser.newContext({ viewport: { width: Number(width), height: 960 }, colorScheme, reducedMotion: "reduce" });
      const page = await context.newPage();
      await page.clock.setFixedTime(NOW);
      await enter(page, service.origin, state);
      // What was said is gone after a while, and in no picture.
      await page.evaluate(() => document.getElementById("said").remove());
      await page.screenshot({ path: join(folder, `${name}-${colorScheme}.png`), fullPage: !isForDocs || name === "new" });
      await context.close();
    }
});
service.close();
