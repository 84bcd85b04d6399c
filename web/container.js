// The field for a container's URL. It is read when it is sent, and never kept: no variable, attribute, storage or address has it.

import { button, h, update } from "./dom.js";
import { config } from "./signin.js";

/**
 * The field, with its explanation beside it. `same` is the container that the URL must be of. The answer has `element`; `take()`,
 * which reads the field; and `forget()`, which empties it, with all that the browser could undo.
 */
export function containerField(id, same = null) {
  const fresh = () =>
    h(`input#${id}.secret`, {
      type: "text",
      name: "containerUrl",
      autocomplete: "off",
      autocapitalize: "off",
      spellcheck: "false",
      inputmode: "url",
      "aria-describedby": `${id}-how ${id}-said ${id}-wrong`,
      placeholder: "https://account.blob.core.windows.net/container?sv=…",
    });
  const said = h(`div#${id}-said.said`, { "aria-live": "polite" });
  const show = button("show", "Show", { "aria-pressed": "false", "aria-controls": id, class: "quiet" });
  let field = fresh();
  const row = h("div.field-row", {}, field, show);
  const element = h(
    "div.container-field",
    { "data-own": "" },
    h("label", { for: id }, "The container's URL"),
    h("p.note", { id: `${id}-how` }, "With a signature (SAS) that may write."),
    row,
    said,
    h("p.verdict.bad", { id: `${id}-wrong` }),
    howToMakeOne(),
  );
  // When the field has the focus: nothing is asked for while a URL is typed.
  const explaining = () => Promise.all([import("./explained.js"), config()]);
  element.addEventListener("focusin", explaining, { once: true });
  const tell = async () => {
    const [{ explained }, { blobEndpoints }] = await explaining();
    update(said, explained(pasted(field.value), same, blobEndpoints));
  };
  const listen = () => field.addEventListener("input", tell);
  const hide = () => {
    field.classList.toggle("secret", true);
    show.setAttribute("aria-pressed", "false");
    show.textContent = "Show";
  };
  show.addEventListener("click", () => {
    const isShown = !field.classList.toggle("secret");
    show.setAttribute("aria-pressed", String(isShown));
    show.textContent = isShown ? "Hide" : "Show";
  });
  listen();
  const forget = () => {
    const hadFocus = document.activeElement === field;
    field.value = "";
    const next = fresh();
    // A new element, because the old one's history of changes could bring the URL back.
    field.replaceWith(next);
    field = next;
    listen();
    hide();
    update(said);
    if (hadFocus) field.focus();
  };
  // A page that is kept for the way back must not keep it.
  addEventListener("pagehide", forget);
  return {
    element,
    forget,
    take: () => pasted(field.value),
    focus: () => field.focus(),
    mark: (isWrong) => field.setAttribute("aria-invalid", String(isWrong)),
    close() {
      forget();
      removeEventListener("pagehide", forget);
    },
  };
}

function howToMakeOne() {
  const lines = [
    "az storage container generate-sas --account-name ACCOUNT --name CONTAINER \\",
    "  --permissions cw --https-only --auth-mode login --as-user \\",
    "  --expiry \"$(date -u -d '+1 day' +%Y-%m-%dT%H:%MZ)\" --output tsv",
  ];
  return h(
    "details",
    {},
    h("summary", {}, "How do I make one?"),
    h(
      "p",
      {},
      "In Azure's portal: the container, “Shared access tokens”, permissions Create and Write, then copy the “Blob SAS URL”. Or by command, which prints what stands behind the question mark:",
    ),
    h("pre", { tabindex: "0" }, h("code", {}, lines.join("\n"))),
    h(
      "p.note",
      {},
      "Give it a life as long as the export may take. If it ends before, the export waits for a new one, and nothing is lost.",
    ),
  );
}

/** The URL of what was pasted: alone, in quotes, or as a line of a shell that sets a variable to it. */
function pasted(text) {
  return /^(?:\w+=)?(['"]?)(.*)\1$/s.exec(text.trim())[2];
}
