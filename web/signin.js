// Who asks: a token from the operator's issuer by authorization code with PKCE, or one that is pasted. It is kept in memory alone.

import { claims, useToken } from "./api.js";
import { button, h, onDo, update } from "./dom.js";
import { refusal } from "./parts.js";

/** What lies in sessionStorage while the issuer has the browser: verifier, state, and where to go on. Never a token. */
const KEPT = "engagement-export.sign-in";

/** Where the issuer sends the browser back to. */
const here = () => location.origin + location.pathname;

let settings;

/** What the operator says: `{issuer, clientId, scope, app, blobEndpoints}`; without a client id, tokens are pasted. */
export async function config() {
  settings ??= fetch("config.json", { cache: "no-store" })
    .then((answer) => (answer.ok ? answer.json() : {}))
    .catch(() => ({}));
  return settings;
}

/** The library, and how it is to talk to this issuer: without TLS on this machine alone. */
async function issuer() {
  const oauth = await import("./vendor/oauth4webapi.js");
  const { issuer: named, clientId, scope } = await config();
  const url = new URL(named);
  const isHere = ["127.0.0.1", "localhost", "[::1]"].includes(url.hostname);
  const options = { [oauth.allowInsecureRequests]: url.protocol === "http:" && isHere };
  const answer = await oauth.discoveryRequest(url, options);
  const server = await oauth.processDiscoveryResponse(url, answer);
  return { oauth, server, options, scope, client: { client_id: clientId } };
}

/** Sends the browser to the issuer. */
async function leave() {
  const { oauth, server, client, scope } = await issuer();
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  sessionStorage.setItem(KEPT, JSON.stringify({ verifier, state, goOn: location.hash }));
  const url = new URL(server.authorization_endpoint);
  for (const [name, value] of Object.entries({
    client_id: client.client_id,
    redirect_uri: here(),
    response_type: "code",
    scope,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
  }))
    if (value) url.searchParams.set(name, value);
  location.assign(url);
}

/** Takes up a sign-in when the issuer has sent the browser back. The code is gone from the address before it is used. */
export async function comeBack() {
  const kept = sessionStorage.getItem(KEPT);
  const address = new URL(location);
  if (!kept || !["code", "error"].some((name) => address.searchParams.has(name))) return;
  sessionStorage.removeItem(KEPT);
  const { verifier, state, goOn } = JSON.parse(kept);
  history.replaceState(null, "", here() + goOn);
  const { oauth, server, options, client } = await issuer();
  const params = oauth.validateAuthResponse(server, client, address, state);
  const none = oauth.None();
  const answer = await oauth.authorizationCodeGrantRequest(server, client, none, params, here(), verifier, options);
  const said = await oauth.processAuthorizationCodeResponse(server, client, answer);
  useToken(said.access_token);
}

/** Shows how to sign in; calls `then` once there is a token. `why` says why the last one is of no use. */
export async function signIn(root, then, why) {
  const { issuer: named, clientId } = await config();
  const form = h(
    "form",
    { "data-own": "" },
    h("label", { for: "token" }, "An access token"),
    h("input#token.secret", {
      type: "text", autocomplete: "off", autocapitalize: "off", spellcheck: "false", required: true, "aria-describedby": "token-how",
    }),
    h("p#token-how.note", {}, "It stays in this tab's memory: a reload forgets it, and nothing else ever sees it."),
    h("p", {}, h("button", { type: "submit", class: clientId ? "" : "primary" }, "Use this token")),
  );
  update(
    root,
    h(
      "section.narrow",
      {},
      h("h1", { tabindex: "-1" }, "Sign in"),
      why && refusal(why),
      h("div", { "data-key": "problem", role: "alert" }),
      clientId && [
        h("p", {}, `Your organisation signs you in at ${new URL(named).host}, and sends you back here.`),
        h("p", {}, button("leave", "Sign in", { class: "primary large" })),
        h("h2.or", {}, "or paste a token"),
      ],
      form,
      howToGetOne(),
    ),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const field = form.querySelector("input");
    const text = field.value.trim().replace(/^Bearer\s+/i, "");
    field.value = "";
    useToken(text);
    then();
  });
  onDo(root.firstChild, {
    leave: (element) => {
      element.setAttribute("aria-disabled", "true");
      leave().catch((error) => {
        element.removeAttribute("aria-disabled");
        const text = `The issuer ${named} cannot be asked (${error.code ?? error.name}). Try again, or paste a token.`;
        update(root.querySelector("[data-key=problem]"), refusal({ message: text }));
      });
    },
  });
}

function howToGetOne() {
  const line = (text) => h("pre", { tabindex: "0" }, h("code", {}, text));
  return h(
    "details",
    {},
    h("summary", {}, "How do I get a token?"),
    h("p", {}, "From the issuer that the operator of this service named, for example by Azure's command:"),
    line("az account get-access-token --resource https://management.core.windows.net/ \\\n  --query accessToken --output tsv"),
    h("p", {}, "On one machine, where “make serve” runs, in the folder of the repository:"),
    line("cargo run -q -p local -- token"),
  );
}

/** Who is signed in, as the token says. */
export const who = () => claims().sub ?? "a pasted token";

