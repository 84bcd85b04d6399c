// The paths of apps, as the operator names them. Those of the last ones are remembered, and nothing secret.

import { visible } from "./words.js";

const KEPT = "engagement-export.apps";
const MOST = 5;
const PATH =
  /^\/subscriptions\/[^/?#]+\/resourceGroups\/[^/?#]+\/providers\/Microsoft\.MobileEngagement\/appcollections\/[^/?#]+\/apps\/[^/?#]+/i;

/** The app's path at the beginning of an address; `null` where none stands there that can be asked for. */
export function appOf(address) {
  const path = PATH.exec(address)?.[0] ?? null;
  return path && namesOf(path).every(isName) ? path : null;
}

/** The names in an app's path: subscription, resource group, collection, app; `null` for what is no text. */
export function namesOf(app) {
  const segments = app.split("/");
  return [2, 4, 8, 10].map((at) => {
    try {
      return decodeURIComponent(segments[at]);
    } catch {
      return null;
    }
  });
}

/** Whether a part of a path is a name. Of any other, the browser would make another path, or the service would. */
const isName = (name) => name !== null && !["", ".", ".."].includes(name) && !/[/\\\p{Cc}]/u.test(name);

/** The app's own name, the last one of its path. */
export const nameOf = (app) => visible(namesOf(app).at(-1));

const filtered = new Map();

/** The address of an app's list, with the filters that it was last looked at with. */
export const listOf = (app) => app + (filtered.get(app) ?? "");

/** Keeps what stands behind the app's path in the address of its list, such as `?state=Failed`. */
export const keepFilters = (app, query) => filtered.set(app, query);

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
