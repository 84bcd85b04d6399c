// Signing in at the operator's issuer, by authorization code with PKCE.

import { useToken } from "./api.js";
import * as oauth from "./vendor/oauth4webapi.js";

/** What lies in sessionStorage while the issuer has the browser: verifier, state, and where to go on. Never a token. */
const KEPT = "engagement-export.sign-in";

/** Where the issuer sends the browser back to. */
const here = () => location.origin + location.pathname;

/** What the issuer says of itself, and how it is to be asked: without TLS on this machine alone. */
async function discover({ issuer }) {
  const url = new URL(issuer);
  const isHere = ["127.0.0.1", "localhost", "[::1]"].includes(url.hostname);
  const options = { [oauth.allowInsecureRequests]: url.protocol === "http:" && isHere };
  const answer = await oauth.discoveryRequest(url, options);
  return { server: await oauth.processDiscoveryResponse(url, answer), options };
}

/** Sends the browser to the issuer. */
export async function leave(config) {
  const { server } = await discover(config);
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  sessionStorage.setItem(KEPT, JSON.stringify({ verifier, state, goOn: location.hash }));
  const url = new URL(server.authorization_endpoint);
  const asked = {
    client_id: config.clientId,
    redirect_uri: here(),
    response_type: "code",
    scope: config.scope,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
  };
  for (const [name, value] of Object.entries(asked)) if (value) url.searchParams.set(name, value);
  location.assign(url);
}

/** Redeems the code with which the issuer has sent the browser back. It is gone from the address before it is used. */
export async function comeBack(config) {
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
  const address = new URL(location);
  sessionStorage.removeItem(KEPT);
  history.replaceState(null, "", here() + (kept?.goOn ?? ""));
  if (!kept) return;
  const { server, options } = await discover(config);
  const client = { client_id: config.clientId };
  const code = oauth.validateAuthResponse(server, client, address, kept.state);
  const answer = await oauth.authorizationCodeGrantRequest(server, client, oauth.None(), code, here(), kept.verifier, options);
  useToken((await oauth.processAuthorizationCodeResponse(server, client, answer)).access_token);
}
