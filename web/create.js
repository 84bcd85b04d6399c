// The form for a new export. Nothing is sent while it is filled in.

import * as api from "./api.js";
import { command, curl } from "./commands.js";
import { containerField } from "./container.js";
import { button, copy, h, onDo, say, update } from "./dom.js";
import { alsoPart, descriptionPart, formatPart, kindsPart, ofFormat, ofKind, sendPart, wherePart } from "./fields.js";
import { fieldsOf, fill, rangeWords } from "./form.js";
import { beginning, refusal, runnable } from "./parts.js";
import { python } from "./python.js";
import { duration, moment, place } from "./words.js";

/** Shows the form; the answer ends it. */
export function createView(root, app) {
  const task = beginning();
  const container = containerField("container");
  const answer = h("div", { "data-key": "answer", role: "status" });
  const form = h("form.create", { "data-own": "", novalidate: true });
  const also = h("div", { "data-own": "" });
  let key = crypto.randomUUID();
  form.append(
    kindsPart(),
    h("div#of-kind"),
    formatPart(),
    h("div#of-format"),
    wherePart(container),
    descriptionPart(),
    answer,
    sendPart(),
    alsoPart(also),
  );
  fill(form, task);

  const request = () => fieldsOf(form);
  function drawParts() {
    update(form.querySelector("#of-kind"), ofKind(form));
    update(form.querySelector("#of-format"), ofFormat(form));
    drawAlso();
  }
  function drawAlso() {
    const it = request();
    const tabs = [
      ["the command", command],
      ["curl", curl],
      ["Python", python],
    ];
    update(
      also,
      tabs.map(([name, of]) =>
        h("div", { "data-key": name }, h("h2", {}, name[0].toUpperCase() + name.slice(1)), runnable(of(app, it), name)),
      ),
    );
  }
  form.addEventListener("change", (event) => {
    if (["operation", "format"].includes(event.target.name)) drawParts();
  });
  form.addEventListener("input", (event) => {
    // Another request needs another key; a repeat of the same one keeps it, so that it makes no second export.
    key = crypto.randomUUID();
    update(answer);
    if (event.target.id !== "container") drawAlso();
    rangeWords(form);
  });

  const problems = () => {
    const { problem, field } = request();
    if (!problem) return false;
    update(answer, refusal({ message: problem }));
    form.querySelector(field)?.focus();
    return true;
  };
  async function send(doing, done, element) {
    if (problems()) return;
    if (container.take() === "") {
      update(answer, refusal({ message: "The container's URL is missing: paste it above." }));
      container.focus();
      return;
    }
    element.disabled = true;
    try {
      const { operation, fields } = request();
      done((await doing(operation, { ...fields, containerUrl: container.take() })).json);
    } catch (error) {
      update(answer, refusal(error, error.isPassing && h("span", {}, "It is safe to send it again: it makes no second export.")));
      if (error.code?.startsWith("Container")) container.focus();
    } finally {
      element.disabled = false;
      // A button that is disabled loses the focus: who is refused goes on from where they were.
      if (document.activeElement === document.body) element.focus();
    }
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const created = (it) => {
      container.forget();
      say("The export is created.");
      location.hash = `${app}/${it.id}`;
    };
    send((operation, fields) => api.create(app, operation, fields, key), created, event.submitter ?? form.querySelector("[type=submit]"));
  });
  onDo(form, {
    check: (element) =>
      send(
        (operation, fields) => api.check(app, operation, fields),
        (it) => update(answer, checked(it)),
        element,
      ),
    preset: ({ dataset }) => {
      [form.elements.from.value, form.elements.to.value] = [dataset.from, dataset.to];
      form.dispatchEvent(new Event("input", { bubbles: true }));
    },
    "copy-text": (element) => copy(element.previousSibling.textContent, "it. Set TOKEN and CONTAINER_URL before you run it"),
  });
  update(
    root,
    h(
      "section",
      { "data-own": "" },
      h("p.back", {}, h("a", { href: `#${app}` }, "← All exports")),
      h("h1", { tabindex: "-1" }, "New export"),
      form,
    ),
  );
  drawParts();
  rangeWords(form);
  return container.close;
}

/** What the service says of a request that it would accept. */
function checked(it) {
  const { url, expires } = it.container;
  const left = expires && ` The signature lasts until ${moment(expires)}, ${duration((new Date(expires) - Date.now()) / 1000)} from now.`;
  return h(
    "div.card.done",
    {},
    h("p", {}, h("strong", {}, "✓ The service would accept this."), ` It may write into ${place(url)}.`, left),
    it.warnings.map((warning) => h("p", {}, warning.message)),
  );
}
