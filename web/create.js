// The form for a new export. Nothing is sent while it is filled in.

import * as api from "./api.js";
import { listOf } from "./apps.js";
import { containerField } from "./container.js";
import { h, onDo, say, update } from "./dom.js";
import { alsoPart, descriptionPart, formatPart, kindsPart, ofFormat, ofKind, sendPart, wherePart } from "./fields.js";
import { fieldsOf, fill, holds, rangeWords } from "./form.js";
import { mark, unmark } from "./marks.js";
import { beginning, refusal, runnableOf } from "./parts.js";
import { config } from "./signin.js";
import { own, told } from "./texts.js";
import { duration, moment, place } from "./words.js";

const LESS =
  "This form cannot hold all that the export was asked for: its moments have parts of a second, or its names are in spaces or empty. " +
  "“Copy as command”, in that export's menu, asks for just the same.";

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
  const fieldsOfKind = () => [...form.querySelectorAll("#of-kind [name]")].filter(({ type }) => type !== "checkbox");
  const typed = new Map();
  function drawParts() {
    for (const { name, value } of fieldsOfKind()) if (value !== "") typed.set(name, value);
    update(form.querySelector("#of-kind"), ofKind(form));
    // Who looks at another kind of data, and comes back, has not typed for nothing.
    for (const field of fieldsOfKind()) if (field.value === "" && typed.has(field.name)) field.value = typed.get(field.name);
    update(form.querySelector("#of-format"), ofFormat(form));
    unmark(form);
    drawAlso();
  }
  /** Once somebody wants to see it. */
  async function drawAlso() {
    if (also.parentElement.open) update(also, ...(await import("./also.js")).texts(app, request()));
  }
  form.addEventListener("toggle", ({ target }) => target.dataset.key === "also" && drawAlso(), true);
  async function drawRange() {
    rangeWords(form, (await config()).maxRangeDays);
  }
  form.addEventListener("change", (event) => {
    if (["operation", "exportFormat"].includes(event.target.name)) drawParts();
  });
  form.addEventListener("input", (event) => {
    // Another request needs another key; a repeat of the same one keeps it, so that it makes no second export.
    key = crypto.randomUUID();
    update(answer);
    unmark(form);
    if (event.target.id !== "container") drawAlso();
    drawRange();
  });

  const missing = () => request().problem ?? (container.take() === "" ? "`containerUrl` is missing: paste it." : null);
  async function send(doing, done, element) {
    const problem = missing();
    if (problem) {
      update(answer, refusal({ message: mark(form, problem) }));
      return;
    }
    element.disabled = true;
    try {
      const { operation, fields } = request();
      done((await doing(operation, { ...fields, containerUrl: container.take() })).json);
    } catch (error) {
      // The service's words of a container's URL do not begin with its name as others do.
      const about = error.code?.startsWith("Container") ? error.message.replace(/^`?containerUrl`?/, "`containerUrl`") : error.message;
      element.disabled = false;
      error.message = mark(form, about);
      update(answer, refusal(error, error.isPassing && h("span", {}, "It is safe to send it again: it makes no second export.")));
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
      [form.elements.startDate.value, form.elements.endDate.value] = [dataset.from, dataset.to];
      form.dispatchEvent(new Event("input", { bubbles: true }));
    },
    "copy-text": async (element) => (await import("./dialogs.js")).copy(runnableOf(element), "it"),
  });
  update(
    root,
    h(
      "section",
      { "data-own": "" },
      h("p.back", {}, h("a", { href: `#${listOf(app)}` }, "← All exports")),
      h("h1", { tabindex: "-1" }, "New export"),
      task && !holds(task, request()) && h("p.verdict.doubt", {}, LESS),
      form,
    ),
  );
  drawParts();
  drawRange();
  return container.close;
}

/** What the service says of a request that it would accept. */
function checked(it) {
  const { url, expires } = it.container;
  const left = expires && ` The signature lasts until ${moment(expires)}, ${duration((new Date(expires) - Date.now()) / 1000)} from now.`;
  return h(
    "div.card.done",
    {},
    h("p", {}, h("strong", {}, "✓ The service would accept this."), " It may write into ", own(place(url)), ".", left),
    it.warnings.map((warning) => h("p", {}, told(warning.message))),
  );
}
