// Somebody who uses the page: what they do, whom their browser asks for it, and what it keeps afterwards.

/** Opens the page in a browser of its own, and watches whom it asks and what it complains of. */
export async function person(browser, origin, others = []) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    reducedMotion: "reduce",
    locale: "en-US",
    timezoneId: "America/Los_Angeles",
  });
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const page = await context.newPage();
  const asked = [];
  const complaints = [];
  page.on("console", (message) => complaints.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => complaints.push(`thrown: ${error.stack}`));
  page.on("request", (request) => {
    asked.push(request);
    const isKnown = [origin, ...others].some((known) => request.url().startsWith(known));
    if (!isKnown) complaints.push(`asks ${request.url()}`);
  });
  return { context, page, asked, complaints };
}

/** Signs in with a token, as who has one does. */
export async function pasteToken(page, origin, app, token) {
  await page.goto(`${origin}/ui/#${app}`);
  await page.fill("#token", token);
  await page.keyboard.press("Enter");
  await page.waitForSelector(".tasks, .empty");
}

/** Presses Tab until what has the focus is what is looked for; whatever has it on the way must show that it has. */
export async function tabTo(page, selector) {
  for (let presses = 0; presses < 120; presses += 1) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate((wanted) => {
      const { activeElement } = document;
      const shows = (element) => element && getComputedStyle(element).outlineStyle !== "none";
      const isShown = activeElement === document.body || shows(activeElement) || shows(activeElement.closest(".choice"));
      return { isThere: activeElement.matches(wanted), isShown, what: activeElement.outerHTML.slice(0, 120) };
    }, selector);
    if (!at.isShown) throw new Error(`nobody sees that this has the focus: ${at.what}`);
    if (at.isThere) return;
  }
  throw new Error(`Tab never comes to ${selector}`);
}

/** The spellings under which a secret would be found. */
const spellings = (secret) => [...new Set([secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)])];

/** Where the page has left one of these secrets: `{name: secret}`. A token stands in the header that proves who asks, a URL in a body. */
export async function leftovers({ context, page, asked, complaints }, secrets) {
  const kept = await page.evaluate(async () => {
    const fields = [...document.querySelectorAll("input, textarea, select")].map((field) => field.value);
    const caches_ = await Promise.all(
      (await caches.keys()).map(async (name) => [name, (await (await caches.open(name)).keys()).map(({ url }) => url)]),
    );
    return {
      document: document.documentElement.outerHTML,
      fields: fields.join("\n"),
      address: location.href,
      state: JSON.stringify(history.state),
      title: document.title,
      local: JSON.stringify(localStorage),
      session: JSON.stringify(sessionStorage),
      databases: JSON.stringify(await indexedDB.databases()),
      caches: JSON.stringify(caches_),
      cookies: document.cookie,
      name: window.name,
      loaded: performance
        .getEntries()
        .map(({ name }) => name)
        .join("\n"),
    };
  });
  kept.cookieJar = JSON.stringify(await context.cookies());
  kept.console = complaints.join("\n");
  kept.requests = asked.map((request) => request.url()).join("\n");
  const others = asked.map((request) => Object.entries(request.headers()).filter(([name]) => name !== "authorization"));
  kept.headers = JSON.stringify(others);
  const client = await context.newCDPSession(page);
  const { entries } = await client.send("Page.getNavigationHistory");
  kept.history = JSON.stringify(entries);
  const found = [];
  for (const [name, secret] of Object.entries(secrets))
    for (const [where, text] of Object.entries(kept))
      if (spellings(secret).some((spelled) => text.includes(spelled))) found.push(`${name} in ${where}`);
  return found;
}

/** Whether the memory of the page's scripts holds a text, once what nobody needs is collected. */
export async function isInMemory({ context, page }, text) {
  const client = await context.newCDPSession(page);
  let isThere = false;
  let end = "";
  client.on("HeapProfiler.addHeapSnapshotChunk", ({ chunk }) => {
    isThere ||= (end + chunk).includes(text);
    end = chunk.slice(-text.length);
  });
  await client.send("HeapProfiler.enable");
  await client.send("HeapProfiler.collectGarbage");
  await client.send("HeapProfiler.takeHeapSnapshot", { reportProgress: false });
  await client.detach();
  return isThere;
}
