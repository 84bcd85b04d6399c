// A request in Python, with what Python comes with.

import { SECRETS, where } from "./commands.js";

/** A program that sends the request; secrets come from the environment. */
export function python(app, { operation, fields }) {
  // JSON within a string, which both languages spell alike: true, false and null they do not.
  const text = JSON.stringify(JSON.stringify(fields));
  return [
    "import json, os, urllib.request",
    "",
    `body = json.loads(${text})`,
    `body["containerUrl"] = os.environ["${SECRETS.writes}"]`,
    "request = urllib.request.Request(",
    `    ${JSON.stringify(where(app, operation))},`,
    "    json.dumps(body).encode(),",
    `    {"Authorization": f"Bearer {os.environ['${SECRETS.token}']}", "Content-Type": "application/json"},`,
    ")",
    "print(urllib.request.urlopen(request).read().decode())",
  ].join("\n");
}
