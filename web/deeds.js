// What can be done with a task from the list and from its own view: renew, retry, cancel, copy.

import * as api from "./api.js";
import { command, curl, requestOf } from "./commands.js";
import { containerField } from "./container.js";
import { confirm, copy, dialog, h, say, update } from "./dom.js";
import { refusal } from "./parts.js";
import { place, title } from "./words.js";

/** The deeds by what `data-do` names them; `find` has the task of an id, `changed` is told the task as it is then. */
export function deeds(app, find, changed) {
  const task = (element) => find(element.dataset.id);
  const done = async (doing, words) => {
    try {
      const { json } = await doing;
      say(words);
      changed(json);
    } catch (error) {
      if (error.status !== 401) dialog("The service refuses this", refusal(error));
    }
  };
  const asText = (of, name) => async (element) => {
    try {
      // A list cuts long filters: the task itself has them whole.
      const { json } = await api.get(app, element.dataset.id);
      await copy(of(app, requestOf(json)), `${name}. Set TOKEN and CONTAINER_URL before you run it`);
    } catch (error) {
      if (error.status !== 401) dialog("This cannot be copied", refusal(error));
    }
  };
  return {
    renew: (element) => renewInDialog(app, task(element), changed),
    retry: (element) => done(api.retry(app, element.dataset.id), "What is missing is tried again."),
    cancel: async (element) => {
      const it = task(element);
      const text = `“${title(it)}” ends early. Files that are complete stay, and what is missing can be tried again later.`;
      if (await confirm("Cancel this export?", text, "Cancel the export", "Let it go on"))
        await done(api.cancel(app, it.id), "The export is being cancelled.");
    },
    "copy-command": asText(command, "the command"),
    "copy-curl": asText(curl, "the curl command"),
    "copy-text": (element) => copy(element.previousSibling.textContent, "it"),
  };
}

/** The box for a new signature of a task's container; `close` when it is of no use any more. */
export function renewal(app, task, changed) {
  const field = containerField(`renew-${task.id}`, task.container);
  const problem = h("div", { role: "alert" });
  const send = h("button.primary", { type: "submit" }, "Give it this signature");
  const form = h("form", { "data-own": "" }, field.element, problem, h("p.actions", {}, send));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    update(problem);
    send.disabled = true;
    try {
      const { json } = await api.renew(app, task.id, field.take());
      field.forget();
      say("The export has the new signature, and goes on.");
      changed(json);
    } catch (error) {
      update(problem, refusal(error));
      field.focus();
    } finally {
      send.disabled = false;
    }
  });
  return { element: form, close: field.close, focus: field.focus };
}

function renewInDialog(app, task, changed) {
  const box = renewal(app, task, (json) => {
    shown.close();
    changed(json);
  });
  const text = `Make a new signature of ${place(task.container)}. The export goes on from the files that it has.`;
  const shown = dialog("A new signature", h("p", {}, text), box.element);
  shown.addEventListener("close", box.close);
  box.focus();
}
