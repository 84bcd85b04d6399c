// How the files of an export are downloaded and verified.

import { SECRETS, download, verify } from "./commands.js";
import { h } from "./dom.js";
import { runnable } from "./parts.js";
import { own } from "./texts.js";

/** The commands for it, and what they need. */
export const howToVerify = (task) => [
  h("h2", {}, "Download and verify"),
  h(
    "p",
    {},
    "Neither command asks the service, so neither needs a token. Both need a URL of the container that may read and list: in ",
    h("code", {}, SECRETS.reads),
    ", else they ask for it. Each file is compared with the manifest: size, SHA-256, CRC-64, rows.",
  ),
  runnable(download(task.manifestUrl), "the command that downloads", h("h3", {}, "Download, and verify what comes")),
  runnable(verify(task.manifestUrl), "the command that verifies", h("h3", {}, "Verify in the container")),
  h("p.note", {}, "The manifest: ", h("code", {}, own(task.manifestUrl))),
];
