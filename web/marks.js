// What is said of a field of the API, in the words of the form, and at its field. The form's fields are called as the API's.

import { update } from "./dom.js";
import { told } from "./texts.js";

/** Whether a name is another one, or names a part of it. */
const isWithin = (name, outer) => name === outer || name.startsWith(`${outer}.`);

/** The fields that a name of the API leads to, and the one where a person begins. */
function found(form, name) {
  const named = [...form.elements].filter((field) => field.name);
  const own = named.filter((field) => isWithin(name, field.name));
  const fields = own.length > 0 ? own : named.filter((field) => isWithin(field.name, name));
  return { fields, first: fields.find((field) => field.checked) ?? fields[0] };
}

/** What the form calls them: a field by its label, several by what stands above them. */
function called({ fields, first }) {
  const above = first.closest(fields.every((field) => field.name === first.name) ? "fieldset" : "details");
  const label = fields.length > 1 ? above.querySelector("legend, summary") : first.labels[0];
  return `“${label.textContent}”`;
}

/**
 * Says a message of the API in the form's words, and marks the field that it begins with. What the API wants to be sent as JSON, the
 * form says of its field itself.
 */
export function mark(form, message) {
  const name = /^`([\w.]+)`/.exec(message)?.[1];
  const about = name && found(form, name);
  if (!about?.first) return message;
  const beside = name.replace(/[^.]*$/, "");
  const inWords = message.replace(/`([\w.]+)`/g, (token, one) => {
    const it = [one, beside + one].map((full) => found(form, full)).find(({ first }) => first);
    return it ? called(it) : token;
  });
  const how = form.querySelector(`#${about.first.id}-how`)?.textContent;
  const said = how ? inWords.replace(/: send (an array|an object|true or false|a whole number of bytes).*$/s, ".") : inWords;
  show(form, about.first, said);
  return said === inWords ? said : `${said} ${how}`;
}

function show(form, field, said) {
  field.setAttribute("aria-invalid", "true");
  const place = field.getAttribute("aria-describedby")?.split(" ").at(-1);
  if (place) update(form.querySelector(`#${place}`), "✗ ", told(said));
  for (let above = field.closest("details"); above; above = above.parentElement.closest("details")) above.open = true;
  field.focus();
}

/** Takes the marks away: something has been changed since. */
export function unmark(form) {
  for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
  for (const said of form.querySelectorAll("[id$=-wrong]")) said.textContent = "";
}
