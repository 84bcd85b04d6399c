// Which view is shown. The address behind # is a path of the API: an app, its form for a new export, or one of its exports.

import * as api from "./api.js";
import { appOf, nameOf, remembered } from "./apps.js";
import { button, dialog, h, onDo, say, update } from "./dom.js";
import { comeBack, config, signIn, who } from "./signin.js";

const main = document.getElementById("main");
const where = document.getElementById("where");

/** What ends the view that is shown. */
let end = () => {};

/** The view of an address, its title, and the app it is of. A view is loaded when it is looked at. */
function viewOf(address) {
  const app = appOf(address);
  if (!app) return { title: "Choose an app", open: async () => (await import("./chooser.js")).appView(main) };
  const rest = address.slice(app.length);
  const id = /^\/([0-9a-f-]{36})$/i.exec(rest)?.[1];
  if (id) return { app, title: "Export", open: async () => (await import("./task.js")).taskView(main, app, id) };
  if (rest === "/new") return { app, title: "New export", open: async () => (await import("./create.js")).createView(main, app) };
  if (rest && rest !== "/") return { app, title: "No such place", open: () => astray(app) };
  return { app, title: "Exports", open: async () => (await import("./list.js")).listView(main, app) };
}

/** A link that was cut, or typed by hand. */
function astray(app) {
  update(main, h("h1", { tabindex: "-1" }, "This link leads to no export"), h("p", {}, h("a", { href: `#${app}` }, "All exports")));
}

/** How many views were opened: one that is loaded too late is not shown. */
let turn = 0;

async function route() {
  const mine = ++turn;
  end();
  end = () => {};
  const address = decodeHash();
  const first = address === "/" && (remembered()[0] ?? (await config()).app);
  if (first) {
    location.replace(`#${first}`);
    return;
  }
  if (mine !== turn) return;
  const view = viewOf(address);
  const isIn = api.hasToken();
  document.title = `${isIn ? view.title : "Sign in"} · Engagement Export`;
  update(main);
  top(view.app, isIn);
  const opened = await (isIn ? view.open() : signIn(main, signedIn, refused));
  if (mine === turn) end = opened ?? end;
  else opened?.();
  focus();
}

const signedIn = () => {
  refused = null;
  route();
};

/** A hash that was typed by hand may hold what is no escape. */
function decodeHash() {
  const text = location.hash.slice(1) || "/";
  return text.startsWith("/") ? text : "/";
}

/** The heading has the focus when another view is shown, so that who hears the page knows where they are. */
function focus() {
  main.querySelector("h1")?.focus({ preventScroll: true });
  scrollTo(0, 0);
}

function top(app, isIn) {
  update(
    where,
    app && h("a.app", { href: "#/apps", title: app }, h("span.note", {}, "App "), nameOf(app)),
    isIn && h("span.who", {}, who()),
    isIn && button("leave", "Sign out", { class: "quiet" }),
  );
}

/** Why the last token is of no use any more. */
let refused = null;

/** Who is at work in a view signs in beside it, so that nothing of it is lost. */
api.whenTokenIsRefused(() => {
  if (!api.hasToken()) return;
  api.useToken(null);
  refused = { status: 401, message: "The service does not take this token: it has expired, or is of another issuer." };
  const box = h("div");
  const shown = dialog("Sign in again", box);
  shown.addEventListener("close", () => api.hasToken() || route());
  const goOn = () => {
    shown.close();
    refused = null;
    dispatchEvent(new Event("signed-in"));
  };
  signIn(box, goOn, refused, true).then(() => box.querySelector("[data-do=leave], #token").focus());
});

onDo(document.body, {
  leave: () => {
    api.useToken(null);
    signedIn();
    say("You are signed out.");
  },
  skip: (element, event) => {
    // The address is the view's.
    event.preventDefault();
    main.focus();
  },
});
/** A menu closes when something else is looked at, when something of it is done, and by Escape. */
function closeMenus(isOver) {
  for (const menu of document.querySelectorAll(".menu[open]")) {
    if (!isOver(menu)) continue;
    if (menu.contains(document.activeElement)) menu.querySelector("summary").focus();
    menu.open = false;
  }
}
document.addEventListener("focusin", ({ target }) => closeMenus((menu) => !menu.contains(target)));
document.addEventListener("click", ({ target }) => closeMenus((menu) => !menu.contains(target) || target.closest(".menu button")));
document.addEventListener("keydown", ({ key }) => closeMenus(() => key === "Escape"));
addEventListener("hashchange", route);
comeBack()
  .catch((error) => {
    refused = { message: `The sign-in did not succeed (${error.error ?? error.code ?? error.name}). Try again.` };
  })
  .finally(route);
