// What a copied text needs beside itself: the secrets, which the page does not give.

import { SECRETS } from "./commands.js";
import { h } from "./dom.js";
import { howToGetOne } from "./signin.js";

/** Says what to set before a text that creates an export is run, and how. */
export function needed() {
  const facts = [
    [SECRETS.token, "An access token. The page does not show yours: get one as you did for signing in."],
    [SECRETS.writes, "The container's URL, with a signature that may write."],
  ];
  const line = (name) => `read -rs ${name} && export ${name}`;
  return [
    h("p", {}, "It holds no secret. It takes both from variables of the environment:"),
    h(
      "dl.facts.variables",
      {},
      facts.map(([name, says]) => h("div", {}, h("dt", {}, h("code", {}, name)), h("dd", {}, says))),
    ),
    h("p", {}, "In bash and zsh, each of these lines waits until you paste one and press Enter, and shows nothing of it:"),
    h(
      "pre",
      { tabindex: "0", "aria-label": "the lines that set them" },
      h("code", {}, [SECRETS.token, SECRETS.writes].map(line).join("\n")),
    ),
    h(
      "p.note",
      {},
      "The command takes a token from a program, too (",
      h("code", {}, "ENGAGEMENT_EXPORT_TOKEN_COMMAND"),
      "), or from a profile, and asks for a URL that is not set.",
    ),
    howToGetOne(),
  ];
}
