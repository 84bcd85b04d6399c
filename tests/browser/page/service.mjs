// The page, and a service that answers as a state says: what takes hours or faults to come about in the real one.

import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";

const WEB = new URL("../../../web/", import.meta.url);
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** As the service sends it, with no issuer. */
export const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";

/**
 * Serves the page as the state that `now` answers has it: its `config`, and `answer(request)` for the API: `{status, json, headers}`, or
 * `{text}` of what is no JSON, whose headers are those that are named alone.
 */
export async function serve(now) {
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, "http://service");
    let body = "";
    for await (const piece of request) body += piece;
    const { status, headers, content } = url.pathname.startsWith("/ui/")
      ? await file(url.pathname.slice("/ui/".length) || "index.html", now().config)
      : said(await now().answer({ method: request.method, url, body: body && JSON.parse(body), headers: request.headers }));
    response.writeHead(status, headers);
    response.end(status === 304 ? undefined : content);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { origin: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

function said({ status = 200, json, text, headers = {} }) {
  if (text !== undefined) return { status, headers, content: text };
  return {
    status,
    headers: { "content-type": "application/json", "x-ms-request-id": "01890a5d-0000-774b-bcce-b302099a8057", ...headers },
    content: JSON.stringify(json),
  };
}

async function file(name, config = {}) {
  if (name === "config.json") return said({ json: config });
  try {
    const content = await readFile(fileURLToPath(new URL(name, WEB)));
    return { status: 200, headers: { "content-type": TYPES[extname(name)], "content-security-policy": POLICY }, content };
  } catch {
    return { status: 404, headers: {}, content: "" };
  }
}
