// What stands over a view for a while.

import { button, h, onDo, say } from "./dom.js";
import { exact } from "./texts.js";

/** Copies a text, and says whether it did: a browser may not let a page do that. */
async function write(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    say(`Copied ${what}.`);
    return true;
  } catch {
    return false;
  }
}

const shownText = (text) => h("pre", { tabindex: "0", "aria-label": "the text" }, h("code", {}, exact(text)));
const BY_HAND = "The browser does not let this page copy. Select the text, and copy it yourself.";

/** Copies a text; where that cannot be, shows it for copying by hand. */
export async function copy(text, what) {
  if (!(await write(text, what))) dialog("Copy this", h("p", {}, BY_HAND), shownText(text));
}

/** Copies a text, and shows it with what else is to be known of it. */
export async function copyAndTell(text, what, more) {
  const isCopied = await write(text, what);
  dialog(isCopied ? `Copied: ${what}` : `Copy ${what}`, !isCopied && h("p", {}, BY_HAND), shownText(text), ...more);
}

/** A dialog with this heading; it is gone once it is closed. Escape closes it. */
export function dialog(heading, ...content) {
  const close = h("button.quiet", { type: "button", "aria-label": "Close", "data-do": "close" }, "×");
  const shown = h(
    "dialog",
    { "aria-labelledby": "dialog-heading" },
    h("header", {}, h("h2#dialog-heading", {}, heading), close),
    ...content,
  );
  onDo(shown, { close: () => shown.close() });
  shown.addEventListener("close", () => shown.remove());
  document.body.append(shown);
  shown.showModal();
  return shown;
}

/** Asks whether to go on; the answer is a promise. */
export function confirm(heading, text, yes, no) {
  return new Promise((resolve) => {
    const shown = dialog(heading, h("p", {}, text), h("footer", {}, button("close", no), button("yes", yes, { class: "primary danger" })));
    onDo(shown, {
      yes: () => {
        resolve(true);
        shown.close();
      },
    });
    shown.addEventListener("close", () => resolve(false));
  });
}
