// Elements, made of text and never of markup, and what is shown brought up to date.

/** An element such as `p.note#id`. What is `null` or `false` is left out, text becomes text. */
export function h(what, attributes = {}, ...children) {
  const [, tag, id, classes] = /^(\w+)(?:#([\w-]+))?((?:\.[\w-]+)*)$/.exec(what);
  const element = document.createElement(tag);
  if (id) element.id = id;
  if (classes) element.className = classes.slice(1).replaceAll(".", " ");
  const isAttributes = attributes !== null && Object.getPrototypeOf(Object(attributes)) === Object.prototype;
  for (const [name, value] of Object.entries(isAttributes ? attributes : {})) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...nodes(isAttributes ? children : [attributes, ...children]));
  return element;
}

function nodes(children) {
  const shown = children.flat(Infinity).filter((child) => child != null && child !== false && child !== "");
  return shown.map((child) => (child instanceof Node ? child : document.createTextNode(String(child))));
}

/**
 * Makes an element's children these, and changes only what differs: what has the focus keeps it, what is open stays open. Children
 * with the same `data-key` are the same. What is marked `data-own` looks after its own content.
 */
export function update(parent, ...children) {
  const keyed = new Map();
  for (const child of parent.children) if (child.dataset.key) keyed.set(child.dataset.key, child);
  let at = parent.firstChild;
  for (const next of nodes(children)) {
    const have = next.dataset?.key ? keyed.get(next.dataset.key) : at;
    if (!have || !isSame(have, next)) {
      parent.insertBefore(next, at);
      continue;
    }
    if (have === at) at = at.nextSibling;
    else parent.insertBefore(have, at);
    patch(have, next);
  }
  while (at) {
    const gone = at;
    at = at.nextSibling;
    gone.remove();
  }
}

function isSame(have, next) {
  return have.nodeName === next.nodeName && have.dataset?.key === next.dataset?.key;
}

function patch(have, next) {
  if (have.nodeType === Node.TEXT_NODE) {
    if (have.data !== next.data) have.data = next.data;
    return;
  }
  for (const { name } of [...have.attributes]) if (name !== "open" && !next.hasAttribute(name)) have.removeAttribute(name);
  for (const { name, value } of next.attributes) if (name !== "open" && have.getAttribute(name) !== value) have.setAttribute(name, value);
  if (!("own" in next.dataset)) update(have, ...next.childNodes);
}

/** Does what the `data-do` of a clicked element names. */
export function onDo(root, actions) {
  root.addEventListener("click", (event) => {
    const element = event.target.closest("[data-do]");
    if (!element || !root.contains(element) || element.getAttribute("aria-disabled") === "true") return;
    actions[element.dataset.do]?.(element, event);
  });
}

/** A button that does what `action` names. */
export const button = (action, text, attributes = {}) => h("button", { type: "button", "data-do": action, ...attributes }, text);

/** Says something to who sees the page, and to who hears it. */
export function say(text) {
  const line = document.getElementById("said");
  line.textContent = "";
  // A text that is set twice in one turn is heard as nothing new.
  requestAnimationFrame(() => {
    line.textContent = text;
  });
  clearTimeout(say.timer);
  say.timer = setTimeout(() => {
    line.textContent = "";
  }, 5000);
}

const sheets = new Map();

/** Loads the styles of a view, for once. */
export function style(name) {
  if (!sheets.has(name)) {
    const link = h("link", { rel: "stylesheet", href: name });
    // Without them, the view can be read all the same.
    sheets.set(name, new Promise((resolve) => ["load", "error"].forEach((event) => link.addEventListener(event, resolve))));
    document.head.append(link);
  }
  return sheets.get(name);
}
