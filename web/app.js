// Which view is shown. The address behind # is a path of the API: an app, its form for a new export, or one of its exports.

import * as api from "./api.js";
import { appOf, listOf, namesOf, remembered } from "./apps.js";
import { button, h, onDo, say, style, update } from "./dom.js";
import { own } from "./texts.js";
import { comeBack, config, signIn, who } from "./signin.js";

const main = document.getElementById("main");
const where = document.getElementById("where");

/** What ends the view that is shown. */
let end = () => {};

/** The module of a view, with the styles of its name. */
const styled = async (name) => (await Promise.all([import(`./${name}.js`), style(`${name}.css`)]))[0];

/** The view of an address: its title, the app it is of, what loads its module, when it is looked at, and what shows it then. */
function viewOf(address) {
  const app = appOf(address);
  if (!app) {
    const odd = ["/", "/apps"].includes(address) ? null : address;
    const title = odd ? "No such app" : "Choose an app";
    return { title, load: () => import("./chooser.js"), show: ({ appView }) => appView(main, odd) };
  }
  const [rest, query] = address.slice(app.length).split("?");
  const id = /^\/([0-9a-f-]{36})$/i.exec(rest)?.[1];
  if (id) return { app, title: "Export", load: () => styled("task"), show: ({ taskView }) => taskView(main, app, id) };
  if (rest === "/new") return { app, title: "New export", load: () => styled("create"), show: ({ createView }) => createView(main, app) };
  if (rest && rest !== "/") return { app, title: "No such place", load: () => null, show: () => astray(app) };
  const filters = new URLSearchParams(query);
  return { app, title: "Exports", load: () => import("./list.js"), show: ({ listView }) => listView(main, app, filters) };
}

/** A link that was cut, or typed by hand. */
function astray(app) {
  update(main, h("h1", { tabindex: "-1" }, "This link leads to no export"), h("p", {}, h("a", { href: `#${listOf(app)}` }, "All exports")));
}

/** How many views were opened: one that is loaded too late is not shown. */
let turn = 0;

async function route() {
  const mine = ++turn;
  end();
  end = () => {};
  const address = location.hash.slice(1) || "/";
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
  const module = isIn && (await view.load());
  if (mine !== turn) return;
  const opened = isIn ? view.show(module) : await signIn(main, signedIn, refused);
  if (mine === turn) end = opened ?? end;
  else opened?.();
  focus();
}

const signedIn = () => {
  refused = null;
  route();
};

/** The heading has the focus when another view is shown, so that who hears the page knows where they are. */
function focus() {
  main.querySelector("h1")?.focus({ preventScroll: true });
  scrollTo(0, 0);
}

/** The most characters of a name in the bar. */
const NAME = 40;

/** Where an app is: what its path has between the words that are in every path. */
function path(app) {
  const names = namesOf(app).map((name) => own(name, NAME));
  return names.map((name, at) => [at > 0 && h("span.note", {}, " / "), at === 3 ? h("strong", {}, name) : name]);
}

function top(app, isIn) {
  update(
    where,
    app && h("a.app", { href: "#/apps", title: `${app}: choose another app` }, path(app)),
    isIn && h("span.who", {}, own(who(), NAME)),
    isIn && button("leave", "Sign out", { class: "quiet" }),
  );
}

/** Why the last token is of no use any more. */
let refused = null;

/** Who is at work in a view signs in beside it, so that nothing of it is lost. */
api.whenTokenIsRefused(async () => {
  if (!api.hasToken()) return;
  api.useToken(null);
  refused = { status: 401, message: "The service does not take this token: it has expired, or is of another issuer." };
  const { dialog } = await import("./dialogs.js");
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
