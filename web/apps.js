// The paths of apps, as the operator names them. Those of the last ones are remembered, and nothing secret.

const KEPT = "engagement-export.apps";
const MOST = 5;
const PATH =
  /^\/subscriptions\/[^/?#]+\/resourceGroups\/[^/?#]+\/providers\/Microsoft\.MobileEngagement\/appcollections\/[^/?#]+\/apps\/[^/?#]+/i;

/** The app's path at the beginning of an address. */
export const appOf = (address) => PATH.exec(address)?.[0] ?? null;

/** The app's own name, the last part of its path. */
export function nameOf(app) {
  const name = app.split("/").at(-1);
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** The apps that were looked at last, the last one first. */
export function remembered() {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? "[]").filter((app) => appOf(app) === app);
  } catch {
    return [];
  }
}

export function remember(app) {
  keep([app, ...remembered().filter((other) => other !== app)].slice(0, MOST));
}

/** Remembers these, and no others. */
export function keep(apps) {
  try {
    localStorage.setItem(KEPT, JSON.stringify(apps));
  } catch {
    // Without storage, the path is typed again.
  }
}
