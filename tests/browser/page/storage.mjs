// Azurite's container as its owner has it: signatures under a stored access policy, whose end can be brought forward.

import { createHmac } from "node:crypto";

/** Published and worth nothing elsewhere: learn.microsoft.com/azure/storage/common/storage-use-azurite#well-known-storage-account-and-key */
const ACCOUNT = "devstoreaccount1";
const KEY = Buffer.from("Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==", "base64");
const VERSION = "2023-11-03";
const POLICY = "page";

const sign = (text) => createHmac("sha256", KEY).update(text).digest("base64");

/** The URL of a container with a signature that says nothing itself: its policy knows. */
export function urlUnderPolicy(container) {
  const name = container.split("/").at(-1);
  const resource = `/blob/${ACCOUNT}/${name}`;
  const signature = sign(["", "", "", resource, POLICY, "", "", VERSION, "c", "", "", "", "", "", "", ""].join("\n"));
  return `${container}?${new URLSearchParams({ sv: VERSION, si: POLICY, sr: "c", sig: signature })}`;
}

/** Makes the policy permit writing until this moment. */
export async function policyUntil(container, moment) {
  const body = `<?xml version="1.0" encoding="utf-8"?><SignedIdentifiers><SignedIdentifier><Id>${POLICY}</Id><AccessPolicy><Start>2020-01-01T00:00:00Z</Start><Expiry>${moment.toISOString()}</Expiry><Permission>cw</Permission></AccessPolicy></SignedIdentifier></SignedIdentifiers>`;
  const url = new URL(`${container}?restype=container&comp=acl`);
  const headers = { "x-ms-date": new Date().toUTCString(), "x-ms-version": VERSION };
  const named = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`).join("");
  const resource = `/${ACCOUNT}${url.pathname}\ncomp:acl\nrestype:container`;
  const type = "application/xml";
  const text = ["PUT", "", "", body.length, "", type, "", "", "", "", "", "", named + resource].join("\n");
  const authorization = `SharedKey ${ACCOUNT}:${sign(text)}`;
  const answer = await fetch(url, { method: "PUT", body, headers: { ...headers, "Content-Type": type, Authorization: authorization } });
  if (!answer.ok) throw new Error(`the policy cannot be set: ${answer.status} ${await answer.text()}`);
}
