// What can be done with a task from the list and from its own view: renew, retry, cancel, copy.

import * as api from "./api.js";
import { say } from "./dom.js";
import { refusal, runnableOf } from "./parts.js";
import { title } from "./words.js";

const over = () => import("./dialogs.js");

/** The deeds by what `data-do` names them; `find` has the task of an id, `changed` is told the task as it is then. */
export function deeds(app, find, changed) {
  const task = (element) => find(element.dataset.id);
  const done = async (doing, words) => {
    try {
      const { json } = await doing;
      say(words);
      changed(json);
    } catch (error) {
      if (error.status !== 401) (await over()).dialog("The service refuses this", refusal(error));
    }
  };
  const asText = (of, name) => async (element) => {
    try {
      const commands = await import("./commands.js");
      // A list cuts long filters: the task itself has them whole.
      const { json } = await api.get(app, element.dataset.id);
      const [{ copyAndTell }, { needed }] = await Promise.all([over(), import("./secrets.js")]);
      await copyAndTell(commands[of](app, commands.requestOf(json)), name, needed());
    } catch (error) {
      if (error.status !== 401) (await over()).dialog("This cannot be copied", refusal(error));
    }
  };
  return {
    renew: async (element) => (await import("./renewal.js")).renewInDialog(app, task(element), changed),
    retry: (element) => done(api.retry(app, element.dataset.id), "What is missing is tried again."),
    cancel: async (element) => {
      const it = task(element);
      const text = `“${title(it)}” ends early. Files that are complete stay, and what is missing can be tried again later.`;
      const { confirm } = await over();
      if (await confirm("Cancel this export?", text, "Cancel the export", "Let it go on"))
        await done(api.cancel(app, it.id), "The export is being cancelled.");
    },
    "copy-command": asText("command", "the command"),
    "copy-curl": asText("curl", "the curl command"),
    "copy-text": async (element) => (await over()).copy(runnableOf(element), "it"),
  };
}
