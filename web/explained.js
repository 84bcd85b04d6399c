// What a container's URL says of itself, in words.

import { h } from "./dom.js";
import { explain } from "./signature.js";
import { own } from "./texts.js";
import { duration, moment, place, visible } from "./words.js";

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

/** What the signature says of itself. Host, container and key only the service can try: nothing is promised of them. */
const asItSays = ({ permissions }) =>
  `${permissions ? "Its signature permits writing, and holds now." : "Its access policy says what its signature permits."} Host and container are tried when you send it.`;

/** What is known of the URL, in words; nothing of it is said but the place and the times. */
export function explained(text, same, endpoints) {
  if (text === "") return [];
  const said = explain(text, new Date(), endpoints);
  const isGood = said.verdict === "accepted";
  const url = URL.canParse(text) && text.includes("://") ? new URL(text) : null;
  const target = url && url.origin + url.pathname.replace(/\/$/, "");
  const isOther = same && target && target !== same;
  const facts = [
    url && ["Writes into", own(place(target))],
    said.for && ["Is for", { container: "the container", folder: "a folder of the container", account: "the whole account" }[said.for]],
    said.permissions && ["Permits to", [...said.permissions].map((letter) => LETTERS[letter] ?? letter).join(", ")],
    said.policy && ["Access policy", `${visible(said.policy)}: what the signature leaves out, the policy says`],
    said.from && ["From", moment(said.from.toISOString())],
    said.until && ["Until", `${moment(said.until.toISOString())} (${left(said.until)})`],
    said.addresses && ["Only from", `${visible(said.addresses)}: the service's address is not fixed, so storage will refuse it`],
  ];
  return [
    isOther && h("p.verdict.bad", {}, h("strong", {}, "✗ Another container. "), "This export writes into ", own(place(same)), "."),
    !isOther && (isGood ? h("p.verdict", {}, asItSays(said)) : h("p.verdict.bad", {}, h("strong", {}, "✗ "), WRONG[said.verdict])),
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
