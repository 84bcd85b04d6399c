// Which app: those that are remembered, and a field for another.

import { appOf, keep, nameOf, remembered } from "./apps.js";
import { button, h, onDo, update } from "./dom.js";
import { own } from "./texts.js";

/** The most characters of a link that is shown. */
const LONG = 300;

/** The path within what was typed or pasted: a path, or a URL of the API with one. Whatever stands behind it is left out. */
export function readPath(text) {
  const typed = text.trim().replace(/^https?:\/\/[^/?#]+/i, "");
  const path = typed.startsWith("/") ? typed : `/${typed}`;
  const app = appOf(path.replaceAll(" ", "%20"));
  return app;
}

const LOOKS = "/subscriptions/…/resourceGroups/…/providers/Microsoft.MobileEngagement/appcollections/…/apps/…";

/** Shows the apps that are remembered, and a field for another. `odd` is an address that names no app. */
export function appView(root, odd) {
  const field = h("input#app", {
    type: "text",
    required: true,
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
    "aria-describedby": "app-how app-wrong",
    placeholder: "/subscriptions/…/apps/name",
  });
  const wrong = h("p#app-wrong.verdict.bad", { role: "alert" });
  const form = h(
    "form",
    { "data-own": "" },
    h("label", { for: "app" }, "The app's path"),
    field,
    h(
      "p#app-how.note",
      {},
      "It begins with /subscriptions/ and ends with /apps/ and the app's name. The operator gives it to you; a URL of the API that holds it does, too.",
    ),
    wrong,
    h("p", {}, h("button.primary", { type: "submit" }, "Open")),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const app = readPath(field.value);
    wrong.textContent = app ? "" : `✗ This is no path of an app: it looks like ${LOOKS}, where each … is a name.`;
    field.setAttribute("aria-invalid", String(!app));
    if (app) location.hash = app;
  });
  const known = () =>
    h(
      "ul.apps",
      { "data-key": "known" },
      remembered().map((app) =>
        h(
          "li",
          { "data-key": app },
          h("a", { href: `#${app}` }, h("strong", {}, own(nameOf(app))), h("span.note", {}, app)),
          button("forget", "Forget", { class: "quiet", "data-app": app, "aria-label": `Forget ${nameOf(app)}` }),
        ),
      ),
    );
  const section = h("section.narrow", {}, h("h1", { tabindex: "-1" }, "Which app?"), odd && notFollowed(odd), known(), form);
  update(root, section);
  onDo(section, {
    forget: (element) => {
      keep(remembered().filter((app) => app !== element.dataset.app));
      update(section.querySelector("ul"), ...known().childNodes);
    },
  });
}

const notFollowed = (address) =>
  h(
    "div.card.failed",
    {},
    h("p", {}, h("strong", {}, "This link leads to no app, and was not followed.")),
    h("p", {}, h("code", {}, own(address, LONG))),
    h("p", {}, `The path of an app is ${LOOKS}, where each … is a name.`),
  );
