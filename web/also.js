// A request as texts that make it elsewhere.

import { command, curl } from "./commands.js";
import { h } from "./dom.js";
import { runnable } from "./parts.js";
import { python } from "./python.js";
import { needed } from "./secrets.js";

const TABS = [
  ["the command", "The command", command],
  ["curl", "curl", curl],
  ["Python", "Python", python],
];

/** The texts, and what they need. */
export const texts = (app, request) => [
  h("div", { "data-key": "needed", "data-own": "" }, needed()),
  TABS.map(([name, heading, of]) => runnable(of(app, request), name, h("h2", {}, heading))),
];
