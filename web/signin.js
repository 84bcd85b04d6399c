// Who asks: a token from the operator's issuer by authorization code with PKCE, or one that is pasted. It is kept in memory alone.

import { claims, useToken } from "./api.js";
import { button, h, onDo, update } from "./dom.js";
import { refusal } from "./parts.js";

let settings;

/** What the operator says: `{issuer, clientId, scope, app, blobEndpoints}`; without a client id, tokens are pasted. */
export async function config() {
  settings ??= fetch("config.json", { cache: "no-store" })
    .then(async (answer) => (answer.ok && (await answer.json())) || {})
    .catch(() => ({}));
  return settings;
}

/** Takes up a sign-in when the issuer has sent the browser back. */
export async function comeBack() {
  const query = new URLSearchParams(location.search);
  if (["code", "error"].some((name) => query.has(name))) await (await import("./issuer.js")).comeBack(await config());
}

/** Shows how to sign in; calls `then` once there is a token. `why` says why the last one is of no use; then it is in a dialog. */
export async function signIn(root, then, why, isDialog = false) {
  const { issuer: named, clientId } = await config();
  const form = h(
    "form",
    { "data-own": "" },
    h("label", { for: "token" }, "An access token"),
    h("input#token.secret", {
      type: "text",
      autocomplete: "off",
      autocapitalize: "off",
      spellcheck: "false",
      required: true,
      "aria-describedby": "token-how",
    }),
    h("p#token-how.note", {}, "It stays in this tab's memory: a reload forgets it, and nothing else ever sees it."),
    h("p", {}, h("button", { type: "submit", class: clientId ? "" : "primary" }, "Use this token")),
  );
  update(
    root,
    h(
      isDialog ? "div" : "section.narrow",
      {},
      !isDialog && h("h1", { tabindex: "-1" }, "Sign in"),
      why && refusal(why),
      h("div", { "data-key": "problem", role: "alert" }),
      clientId && [
        h("p", {}, `Your organisation signs you in at ${new URL(named).host}, and sends you back here.`),
        h("p", {}, button("leave", "Sign in", { class: "primary large" })),
        h("p.note", {}, "Or paste a token:"),
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
      import("./issuer.js")
        .then(async ({ leave }) => leave(await config()))
        .catch((error) => {
          element.removeAttribute("aria-disabled");
          const text = `The issuer ${named} cannot be asked (${error.code ?? error.name}). Try again, or paste a token.`;
          update(root.querySelector("[data-key=problem]"), refusal({ message: text }));
        });
    },
  });
}

/** Says how to get an access token. */
export function howToGetOne() {
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
