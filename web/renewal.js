// The box for a new signature of an export's container.

import * as api from "./api.js";
import { containerField } from "./container.js";
import { h, say, update } from "./dom.js";
import { refusal } from "./parts.js";
import { own } from "./texts.js";
import { place } from "./words.js";

/** The box for a new signature of a task's container; `close` when it is of no use any more. */
export function renewal(app, task, changed) {
  const field = containerField(`renew-${task.id}`, task.container);
  const problem = h("div", { role: "alert" });
  const send = h("button.primary", { type: "submit" }, "Give it this signature");
  const form = h("form", { "data-own": "", novalidate: true }, field.element, problem, h("p.actions", {}, send));
  const refused = (error) => {
    update(problem, refusal(error));
    field.mark(error.code === undefined || error.code.startsWith("Container"));
    field.focus();
  };
  form.addEventListener("input", () => {
    update(problem);
    field.mark(false);
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    update(problem);
    if (field.take() === "") {
      refused({ message: "The container's URL is missing: paste it above." });
      return;
    }
    send.disabled = true;
    try {
      const { json } = await api.renew(app, task.id, field.take());
      field.forget();
      say("The export has the new signature, and goes on.");
      changed(json);
    } catch (error) {
      refused(error);
    } finally {
      send.disabled = false;
    }
  });
  return { element: form, close: field.close, focus: field.focus };
}

/** The same over what is shown. */
export async function renewInDialog(app, task, changed) {
  const { dialog } = await import("./dialogs.js");
  const box = renewal(app, task, (json) => {
    shown.close();
    changed(json);
  });
  const text = ["Make a new signature of ", own(place(task.container)), ". The export goes on from the files that it has."];
  const shown = dialog("A new signature", h("p", {}, text), box.element);
  shown.addEventListener("close", box.close);
  box.focus();
}
