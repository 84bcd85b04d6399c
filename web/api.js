// The service's API, and nothing else of the world. The token lives in this module's memory.

const VERSION = "api-version=2014-12-01";

/** Where the API is: beside the folder of this page. */
export const API = new URL("..", document.baseURI).href.replace(/\/$/, "");

let token = null;
let onRefused = () => {};

/** Uses this token from now on; `null` forgets it. */
export function useToken(text) {
  token = text;
}

export const hasToken = () => token !== null;

/** What is called when the service takes the token for none of its own, or for expired. */
export function whenTokenIsRefused(call) {
  onRefused = call;
}

/** What the token says of its subject and its end; nothing where it is no JWT. It is the service that checks it. */
export function claims() {
  try {
    const part = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(part), (c) => c.charCodeAt(0))));
  } catch {
    return {};
  }
}

/** An answer that says no, or no answer at all (status 0). */
export class Refusal extends Error {
  constructor(status, code, message, headers) {
    super(message);
    this.status = status;
    this.code = code;
    // What never reached the service has the gateway's own.
    this.requestId = headers?.get("x-ms-request-id") ?? headers?.get("apigw-requestid") ?? null;
  }

  /** Whether the same request may find an answer later. */
  get isPassing() {
    return this.status === 0 || this.status === 429 || this.status >= 500 || this.code === UNEXPECTED;
  }
}

/** The code of an answer that is not the service's. */
const UNEXPECTED = "UnexpectedAnswer";

/** What came instead of an answer of the service. */
function unexpected({ status, headers }, json) {
  const type = headers.get("content-type")?.split(";")[0] ?? "no content type";
  const came = json === null ? "no JSON" : "not what was asked for";
  return new Refusal(status, UNEXPECTED, `This is no answer of the service: status ${status}, ${type}, ${came}.`, headers);
}

const isObject = (value) => typeof value === "object" && value !== null;
const isTask = (one) => [one, one?.options?.asked, one?.options?.resolved].every(isObject) && [one.id, one.phase].every(isText);
const isText = (value) => typeof value === "string";
const isCheck = (json) => isText(json.container?.url) && Array.isArray(json.warnings);
const isPageOf = (isOne) => (json) => Array.isArray(json.value) && json.value.every(isOne);

/**
 * Sends one request: `{json, etag, retryAfter, isSame}`, where `isSame` says that nothing is new since `etag`. An answer that is not as
 * `isExpected` says is none of the service's.
 */
export async function ask(method, path, isExpected, { body, etag, key, signal } = {}) {
  const headers = { Authorization: `Bearer ${token}` };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (etag) headers["If-None-Match"] = etag;
  if (key) headers["Idempotency-Key"] = key;
  const options = { method, headers, body, signal, cache: "no-store", credentials: "omit", referrerPolicy: "no-referrer" };
  let answer;
  try {
    answer = await fetch(API + path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(0, "NoAnswer", "The service does not answer.");
  }
  const said = {
    etag: answer.headers.get("etag"),
    retryAfter: Number(answer.headers.get("retry-after")) || null,
    isSame: answer.status === 304,
  };
  if (said.isSame) return said;
  const json = await answer.json().catch(() => null);
  if (answer.ok && isObject(json) && isExpected(json)) return { ...said, json };
  if (answer.status === 401) onRefused();
  // The gateway's own answers have a message alone.
  const { code, message } = json?.error ?? { code: `Status${answer.status}`, message: json?.message };
  throw answer.ok || !isText(message) ? unexpected(answer, json) : new Refusal(answer.status, code, message, answer.headers);
}

const tasks = (app) => `${app}/devices/exportTasks`;
const query = (more) => `?${new URLSearchParams(more)}${Object.keys(more).length ? "&" : ""}${VERSION}`;
const one = (app, id, part = "") => `${tasks(app)}/${id}${part}?${VERSION}`;

/** The most tasks of a page of which those at work say their progress. */
const PAGE = 10;

/** A page of the list, the newest first; `more` has `state`, `exportType`, `createdAfter`, or is what a `nextLink` asks for. */
export const list = (app, more, options) =>
  ask("GET", tasks(app) + (typeof more === "string" ? more : query({ ...newest, ...more })), isPageOf(isTask), options);

const newest = { $orderby: "dateCreated desc", $top: PAGE, progress: "true" };

/** What the link to a next page asks for: its host is the service's own name for itself, which need not be this page's. */
export const queryOf = (nextLink) => nextLink && new URL(nextLink).search;

export const get = (app, id, options) => ask("GET", one(app, id), isTask, options);
export const cancel = (app, id) => ask("DELETE", one(app, id), isTask);
export const retry = (app, id) => ask("PATCH", one(app, id), isTask, { body: "{}" });
export const renew = (app, id, containerUrl) => ask("PATCH", one(app, id), isTask, { body: JSON.stringify({ containerUrl }) });
export const create = (app, operation, fields, key) =>
  ask("POST", `${tasks(app)}/${operation}?${VERSION}`, isTask, { body: JSON.stringify(fields), key });
export const check = (app, operation, fields) =>
  ask("POST", `${tasks(app)}/${operation}/check?${VERSION}`, isCheck, { body: JSON.stringify(fields) });

/** Every page of a task's `chunks` or `files`, one after the other. */
export async function* parts(app, id, part, signal) {
  let more = `?${VERSION}`;
  while (more) {
    const { json } = await ask("GET", `${tasks(app)}/${id}/${part}${more}`, isPageOf(isObject), { signal });
    yield json.value;
    more = queryOf(json.nextLink);
  }
}
