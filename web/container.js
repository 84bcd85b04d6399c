// The field for a container's URL. It is read when it is sent, and never kept: no variable, attribute, storage or address has it.

import { button, h, update } from "./dom.js";
import { explain } from "./signature.js";
import { config } from "./signin.js";
import { duration, moment, place } from "./words.js";

/** What is wrong, and what to do, by the service's codes. */
const WRONG = {
  ContainerUrlNotAUrl: "This is no URL yet. It looks like https://account.blob.core.windows.net/container?sv=…&sig=…",
  ContainerUrlNotHttps: "It must begin with https://, else everybody on the way could read the signature.",
  ContainerUrlSignatureMissing: "It has no signature. Append the SAS behind a question mark.",
  ContainerUrlRepeatedParameter: "A parameter stands twice. Keep the one that was signed.",
  ContainerUrlSigMissing: "The part sig= is missing: copy the signature in full.",
  ContainerUrlUserBound: "It holds for one user alone. Make one without a delegated user.",
  ContainerUrlRequestBound: "It is bound to headers of a request. Make one without srh and srq.",
  ContainerUrlWrongResource:
    "It is not for the blobs of a container. Make it for the container (sr=c), a folder (sr=d), or the account (ss=b, srt=co).",
  ContainerUrlOtherFolder: "It is for a folder (sr=d) that is not the one of this path, or not above it (sdd).",
  ContainerUrlPermissionsMissing: "It says no permissions (sp). Make one with sp=cw.",
  ContainerUrlWriteMissing: "It may not write. Make one with the permission w, such as sp=cw.",
  ContainerUrlHttpsShutOut: "It shuts out https. Make one with spr=https.",
  ContainerUrlBadTime: "One of its times cannot be read. Make a new one.",
  ContainerUrlNotYetValid: "It holds only later. Leave the start out.",
  ContainerUrlExpiryMissing: "It says no end (se). Make one that has.",
  ContainerUrlExpired: "It has expired. Make a new one.",
  ContainerUrlExpiresSoon: "It ends within 15 minutes. Make one that lasts as long as the export.",
};

const LETTERS = {
  r: "read",
  a: "append",
  c: "create",
  w: "write",
  d: "delete",
  l: "list",
  x: "delete versions",
  t: "set tags",
  m: "move",
  e: "execute",
  i: "set immutability",
};

/**
 * The field, with its explanation beside it. `same` is the container that the URL must be of. The answer has `element`; `take()`,
 * which reads the field; and `forget()`, which empties it, with all that the browser could undo.
 */
export function containerField(id, same = null) {
  const fresh = () =>
    h(`input#${id}.secret`, {
      type: "text",
      autocomplete: "off",
      autocapitalize: "off",
      spellcheck: "false",
      inputmode: "url",
      "aria-describedby": `${id}-said`,
      placeholder: "https://account.blob.core.windows.net/container?sv=…",
    });
  const said = h(`div#${id}-said.said`, { "aria-live": "polite" });
  const show = button("show", "Show", { "aria-pressed": "false", "aria-controls": id, class: "quiet" });
  let field = fresh();
  const row = h("div.field-row", {}, field, show);
  const element = h(
    "div.container-field",
    { "data-own": "" },
    h("label", { for: id }, "The container's URL, with a signature that may write"),
    row,
    said,
    howToMakeOne(),
  );
  const listen = () =>
    field.addEventListener("input", async () => update(said, explained(pasted(field.value), same, (await config()).blobEndpoints)));
  const hide = () => {
    field.classList.toggle("secret", true);
    show.setAttribute("aria-pressed", "false");
    show.textContent = "Show";
  };
  show.addEventListener("click", () => {
    const isShown = !field.classList.toggle("secret");
    show.setAttribute("aria-pressed", String(isShown));
    show.textContent = isShown ? "Hide" : "Show";
  });
  listen();
  const forget = () => {
    const hadFocus = document.activeElement === field;
    field.value = "";
    const next = fresh();
    // A new element, because the old one's history of changes could bring the URL back.
    field.replaceWith(next);
    field = next;
    listen();
    hide();
    update(said);
    if (hadFocus) field.focus();
  };
  // A page that is kept for the way back must not keep it.
  addEventListener("pagehide", forget);
  return {
    element,
    forget,
    take: () => pasted(field.value),
    focus: () => field.focus(),
    close() {
      forget();
      removeEventListener("pagehide", forget);
    },
  };
}

/** What is known of the URL, in words; nothing of it is said but the place and the times. */
export function explained(text, same, endpoints) {
  if (text === "") return [];
  const said = explain(text, new Date(), endpoints);
  const isGood = said.verdict === "accepted";
  const url = URL.canParse(text) && text.includes("://") ? new URL(text) : null;
  const target = url && url.origin + url.pathname.replace(/\/$/, "");
  const isOther = same && target && target !== same;
  const facts = [
    url && ["Writes into", place(target)],
    said.for && ["Is for", { container: "the container", folder: "a folder of the container", account: "the whole account" }[said.for]],
    said.permissions && ["Permits to", [...said.permissions].map((letter) => LETTERS[letter] ?? letter).join(", ")],
    said.policy && ["Access policy", `${said.policy}: what the signature leaves out, the policy says`],
    said.from && ["From", moment(said.from.toISOString())],
    said.until && ["Until", `${moment(said.until.toISOString())} (${left(said.until)})`],
    said.addresses && ["Only from", `${said.addresses}: the service's address is not fixed, so storage will refuse it`],
  ];
  return [
    isOther && h("p.verdict.bad", {}, h("strong", {}, "✗ Another container. "), `This export writes into ${place(same)}.`),
    !isOther &&
      h(
        isGood ? "p.verdict.good" : "p.verdict.bad",
        {},
        isGood ? "✓ As far as the URL says, it may write now." : [h("strong", {}, "✗ "), WRONG[said.verdict]],
      ),
    h(
      "dl.facts",
      {},
      facts.filter(Boolean).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
    ),
  ];
}

function left(until) {
  const seconds = (until - Date.now()) / 1000;
  return seconds > 0 ? `${duration(seconds)} from now` : `${duration(-seconds)} ago`;
}

function howToMakeOne() {
  const lines = [
    "az storage container generate-sas --account-name ACCOUNT --name CONTAINER \\",
    "  --permissions cw --https-only --auth-mode login --as-user \\",
    "  --expiry \"$(date -u -d '+1 day' +%Y-%m-%dT%H:%MZ)\" --output tsv",
  ];
  return h(
    "details",
    {},
    h("summary", {}, "How do I make one?"),
    h(
      "p",
      {},
      "In Azure's portal: the container, “Shared access tokens”, permissions Create and Write, then copy the “Blob SAS URL”. Or by command, which prints what stands behind the question mark:",
    ),
    h("pre", { tabindex: "0" }, h("code", {}, lines.join("\n"))),
    h(
      "p.note",
      {},
      "Give it a life as long as the export may take. If it ends before, the export waits for a new one, and nothing is lost.",
    ),
  );
}

/** The URL of what was pasted: alone, in quotes, or as a line of a shell that sets a variable to it. */
function pasted(text) {
  return /^(?:\w+=)?(['"]?)(.*)\1$/s.exec(text.trim())[2];
}
