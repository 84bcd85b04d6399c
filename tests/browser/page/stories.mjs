// What people do in the page, with the whole service behind it. The first line of the standard input is {story, origin, issuer, app,
// token, containerUrl, policyUrl}. Prints a line for each thing that is to happen in the world meanwhile, and goes on at the next line of
// input; the last line is what the story came to, as JSON.

import { createInterface } from "node:readline";
import { withBrowser } from "../browser.mjs";
import { isInMemory, leftovers, pasteToken, person, tabTo } from "./person.mjs";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const given = JSON.parse((await lines.next()).value);
const { origin, app, token, containerUrl, policyUrl } = given;

/** Lets something happen outside of the browser. */
async function meanwhile(what) {
  process.stdout.write(`meanwhile ${what}\n`);
  await lines.next();
}

const signature = (url) => new URL(url).searchParams.get("sig");

const ended = (page, look) => page.waitForSelector(`.standing[data-look=${look}]`, { timeout: 60_000 });

/** Copies what a button copies. */
async function copied(page, button) {
  await page.evaluate(() => navigator.clipboard.writeText(""));
  await button.click();
  return page.evaluate(async () => {
    for (;;) {
      const text = await navigator.clipboard.readText();
      if (text !== "") return text;
      await new Promise(requestAnimationFrame);
    }
  });
}

/**
 * Fills in the form, and sends it. Plain JSON is the largest, and so what takes longest. What is to happen in the midst of the
 * export happens before the page has the answer: the export never waits for the browser.
 */
async function create(page, url, { kind = "events", midst } = {}) {
  if (midst) {
    const answering = async (route) => {
      const response = await route.fetch();
      await meanwhile(midst);
      await route.fulfill({ response });
    };
    await page.route(new RegExp(`/exportTasks/${kind}\\?`), answering, { times: 1 });
  }
  await page.goto(`${origin}/ui/#${app}/new`);
  await page.click(`[name=operation][value=${kind}]`);
  await page.click("[name=exportFormat][value=JsonBlob]");
  await page.fill("#from", "2026-01-05");
  await page.fill("#to", "2026-01-11");
  await page.fill("#container", url);
  const sent = page.waitForResponse((answer) => answer.request().method() === "POST");
  await page.getByRole("button", { name: "Create the export" }).click();
  const answer = await sent;
  if (answer.status() !== 202) throw new Error(`refused: ${await answer.text()}`);
  return (await answer.json()).id;
}

const STORIES = {
  /** From the first visit to the files of an export, without a mouse. */
  async keyboard(me) {
    const { page, asked } = me;
    await page.goto(`${origin}/ui/`);
    await page.waitForSelector("#token");
    await tabTo(page, "#token");
    await page.keyboard.insertText(token);
    await page.keyboard.press("Enter");
    // The operator names another app to begin with.
    await page.waitForSelector(".tasks, .empty");
    await tabTo(page, "a.app");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#app");
    await tabTo(page, "#app");
    await page.keyboard.insertText(app);
    await page.keyboard.press("Enter");
    await page.waitForSelector(".empty");
    const advice = await page.innerText(".empty");
    await tabTo(page, ".head .primary");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#container");
    await tabTo(page, "[name=operation]");
    for (const _ of ["activities", "sessions"]) await page.keyboard.press("ArrowDown");
    await tabTo(page, "#from");
    await page.keyboard.type("01052026");
    await tabTo(page, "#to");
    await page.keyboard.type("01112026");
    await tabTo(page, "#container");
    // What explains a URL is loaded when the field has the focus, and before anything stands in it.
    await page.evaluate(() => import("./explained.js"));
    const before = asked.length;
    await page.keyboard.type(containerUrl.slice(0, 60));
    await page.keyboard.insertText(containerUrl.slice(60));
    await page.waitForSelector(".said .verdict");
    const whileTyping = asked.slice(before).map((request) => request.url());
    await tabTo(page, "#description");
    await page.keyboard.type("by keyboard");
    await tabTo(page, "[data-do=check]");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".create .card.done");
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("Enter");
    await ended(page, "done");
    const focus = await page.evaluate(() => document.activeElement.tagName);
    const signed = signature(containerUrl);
    const signatureInMemory = (await isInMemory(me, signed)) || (await isInMemory(me, encodeURIComponent(signed)));
    const tokenInMemory = await isInMemory(me, token);
    await page.waitForSelector("tbody tr");
    await tabTo(page, ".grid");
    await page.keyboard.press("ArrowRight");
    const chunk = await page.textContent(".chosen");
    await tabTo(page, "[role=tab]");
    await page.keyboard.press("ArrowRight");
    const rejects = await page.textContent("[role=tabpanel]");
    await page.keyboard.press("ArrowLeft");
    const rows = await page.$$eval("tbody tr", (all) => all.map((row) => row.innerText));
    await tabTo(page, "[data-do=sort][data-by=rows]");
    await page.keyboard.press("Enter");
    const sorted = await page.getAttribute("th:has([data-by=rows])", "aria-sort");
    return {
      advice,
      whileTyping,
      signatureInMemory,
      focus,
      tokenInMemory,
      chunk,
      rejects,
      rows,
      sorted,
      heading: await page.textContent("h1"),
      id: page.url().slice(-36),
    };
  },

  /** An export, its files, and the commands that the page gives for it. */
  async commands({ page }) {
    await pasteToken(page, origin, app, token);
    const id = await create(page, containerUrl, { kind: "crashes" });
    await ended(page, "done");
    const runnable = page.locator(".runnable [data-do=copy-text]");
    const [download, verify] = [await copied(page, runnable.nth(0)), await copied(page, runnable.nth(1))];
    await page.click("text=All exports");
    await page.waitForSelector(".tasks");
    const copies = {};
    for (const [name, label] of [
      ["command", "Copy as command"],
      ["curl", "Copy as curl"],
    ]) {
      await page.locator(".menu summary").first().click();
      copies[name] = await copied(page, page.getByRole("button", { name: label }).first());
      await page.waitForSelector("dialog");
      await page.keyboard.press("Escape");
      await page.waitForSelector(".menu:not([open])");
    }
    await page.click("text=New export");
    await page.click("[name=exportFormat][value=CsvBlob]");
    await page.locator("summary", { hasText: "Export options" }).click();
    await page.locator("summary", { hasText: "Filter" }).click();
    await page.fill("#from", "2026-01-05");
    await page.fill("#to", "2026-01-06");
    await page.fill("#names", "it's `$HOME`\n-login, or out");
    await page.check("#notNames");
    await page.check("#escapeFormulas");
    await page.selectOption("#compression", "gzip");
    await page.uncheck('[name="exportOptions.columns"][value=extras]');
    await page.fill("#description", "“$TOKEN” `date` 'quoted' \\ 日本");
    await page.locator("summary", { hasText: "The same as a command" }).click();
    const forms = {};
    for (const [at, name] of ["command", "curl", "python"].entries()) forms[name] = await copied(page, runnable.nth(at));
    return { id, download, verify, copies, forms };
  },

  /** The signature ends in the midst of the export; an object is replaced while it waits; a retry completes it. */
  async renewal(me) {
    const { page } = me;
    await pasteToken(page, origin, app, token);
    const id = await create(page, policyUrl, { midst: "the signature is revoked" });
    await ended(page, "waiting");
    const waiting = await page.innerText(".standing");
    await meanwhile("an object goes away");
    const box = `#renew-${id}`;
    await page.fill(box, containerUrl.replace("/exports?", "/others?"));
    const other = await page.textContent(".task-view .said .verdict");
    await page.fill(box, containerUrl);
    await page.waitForSelector(".said .verdict");
    await page.getByRole("button", { name: "Give it this signature" }).click();
    await ended(page, "failed");
    await page.waitForSelector(".troubles");
    const trouble = await page.innerText(".troubles");
    await meanwhile("the object comes back");
    await page.getByRole("button", { name: "Retry", exact: true }).click();
    await ended(page, "done");
    const signatureInMemory = await isInMemory(me, encodeURIComponent(signature(containerUrl)));
    return { id, waiting, other, trouble, signatureInMemory, history: await page.innerText(".timeline") };
  },

  /** An export that waits is cancelled from the list, and then gone on with. */
  async cancel({ page }) {
    await pasteToken(page, origin, app, token);
    const id = await create(page, policyUrl, { midst: "the signature is revoked" });
    await ended(page, "waiting");
    await page.goto(`${origin}/ui/#${app}`);
    const row = page.locator(`[data-key="${id}"]`);
    await row.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("button", { name: "Cancel the export" }).click();
    await row.locator("text=/^cancelled/").waitFor({ timeout: 60_000 });
    const cancelled = await row.innerText();
    await meanwhile("the signature holds again");
    await row.getByRole("button", { name: "Retry" }).click();
    await row.locator("text=/^complete/").waitFor({ timeout: 60_000 });
    return { id, cancelled, complete: await row.innerText() };
  },

  /** Signs in at the issuer of one machine, and comes back to where they were. */
  async issuer({ page, asked }) {
    await page.goto(`${origin}/ui/#${app}/new`);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByRole("button", { name: "Sign in as operator" }).click();
    await page.waitForSelector("#container");
    const kept = await page.evaluate(() => ({ session: sessionStorage.length, address: location.href }));
    await page.click("text=All exports");
    await page.waitForSelector(".tasks, .empty");
    const used = asked.map((request) => request.headers().authorization).filter(Boolean);
    await page.reload();
    await page.waitForSelector("text=or paste a token");
    return { ...kept, used: used.length, token: used.at(-1).slice("Bearer ".length) };
  },
};

await withBrowser(async (browser) => {
  const me = await person(browser, origin, given.issuer ? [given.issuer] : []);
  const came = await STORIES[given.story](me).catch(async (error) => {
    throw new Error(`${error.message}\n${await me.page.innerText("body").catch(() => "")}\n${me.complaints.join("\n")}`);
  });
  const secrets = { token: came.token ?? token, signature: signature(containerUrl), revoked: signature(policyUrl) };
  process.stdout.write(
    `${JSON.stringify({ ...came, token: undefined, complaints: me.complaints, leftovers: await leftovers(me, secrets) })}\n`,
  );
});
process.stdin.destroy();
