// What the URL of a container says of its signature (SAS), without asking anybody. tests/browser/signatures.json has URLs and
// verdicts by which this and the service are tested alike; hosts and names are left to the service.

const MINUTE = 60_000;
const MOMENT = /^(\d{4}-\d\d-\d\d)(T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?$/;

/** What the signature is for, what it permits and when, and a verdict: `accepted`, or the code with which the service would refuse. */
export function explain(text, now = new Date(), endpoints = []) {
  const url = URL.canParse(text) ? new URL(text) : null;
  const said = { for: null, permissions: null, from: null, until: null, policy: null, protocols: null, addresses: null };
  if (!url) return { ...said, verdict: "ContainerUrlNotAUrl" };
  const at = endpoints.find((endpoint) => url.href.startsWith(`${endpoint.replace(/\/$/, "")}/`));
  const all = [...new URLSearchParams(url.search)].map(([name, value]) => [name.toLowerCase(), value]);
  const has = new Map(all.filter(([, value]) => value !== ""));
  const get = (name) => has.get(name) ?? null;
  const times = Object.fromEntries(["st", "skt", "se", "ske"].map((name) => [name, moment(get(name))]));
  Object.assign(said, {
    for: get("sr") ? ({ c: "container", d: "folder" }[get("sr")] ?? null) : get("ss") && get("srt") ? "account" : null,
    permissions: get("sp")?.replace(/[^a-z]/g, "") ?? null,
    from: pick(Math.max, times.st, times.skt),
    until: pick(Math.min, times.se, times.ske),
    policy: get("si"),
    protocols: get("spr"),
    addresses: get("sip"),
  });
  const levels = (at ? url.href.slice(at.length).split("?")[0] : url.pathname).split("/").filter(Boolean).length - 1;
  return { ...said, verdict: verdict(url, at !== undefined, all, get, levels, said, times, now) };
}

function verdict(url, isLetIn, all, get, levels, said, times, now) {
  const no = (code) => `ContainerUrl${code}`;
  if (url.protocol !== "https:" && !isLetIn) return no("NotHttps");
  if (all.length === 0) return no("SignatureMissing");
  if (new Set(all.map(([name]) => name)).size < all.length) return no("RepeatedParameter");
  if (!get("sig")) return no("SigMissing");
  if (get("sduoid") || get("skdutid")) return no("UserBound");
  if (get("srh") || get("srq")) return no("RequestBound");
  const resource = ofResource(get, levels);
  if (resource) return no(resource);
  if (!get("sp") && !said.policy) return no("PermissionsMissing");
  if (get("sp") && !get("sp").includes("w")) return no("WriteMissing");
  if (url.protocol === "https:" && said.protocols && !said.protocols.split(",").includes("https")) return no("HttpsShutOut");
  if (isBad(times.st) || isBad(times.skt)) return no("BadTime");
  if (said.from > now.getTime() + 5 * MINUTE) return no("NotYetValid");
  if (isBad(times.se)) return no("BadTime");
  if (!times.se && !said.policy) return no("ExpiryMissing");
  if (isBad(times.ske)) return no("BadTime");
  if (said.until && said.until <= now) return no("Expired");
  return said.until && said.until < now.getTime() + 15 * MINUTE ? no("ExpiresSoon") : "accepted";
}

function ofResource(get, levels) {
  if (get("sr") === "d" && !get("ss") && !get("srt"))
    return /^\d+$/.test(get("sdd") ?? "") && Number(get("sdd")) <= levels ? null : "OtherFolder";
  if (get("sr")) return get("sr") === "c" && !get("ss") && !get("srt") ? null : "WrongResource";
  return get("ss")?.includes("b") && get("srt")?.includes("o") ? null : "WrongResource";
}

const isBad = (time) => time !== null && Number.isNaN(time.getTime());
const pick = (of, ...times) => {
  const known = times.filter((time) => time && !isBad(time));
  return known.length === 0 ? null : new Date(of(...known));
};

function moment(text) {
  if (text === null) return null;
  const [, day, clock, zone = ""] = MOMENT.exec(text) ?? [];
  // A day that no month has is another day to the browser.
  const isDay = day && new Date(day).getTime() && new Date(day).toISOString().startsWith(day);
  return new Date(isDay ? text + (clock && !zone ? "Z" : "") : Number.NaN);
}
