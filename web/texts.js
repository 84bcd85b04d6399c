// Texts of others: names and descriptions that people gave, and sentences of the service. None of them turns what stands around it.

import { h } from "./dom.js";
import { HIDDEN, cut, moment, numbered, visible } from "./words.js";

/** A text of somebody in one line: whole, or so many characters of it. */
export const own = (text, most) => h("bdi", {}, cut(text, most));

/** A text to copy, as it is: what cannot be seen has its number beside it, which is not copied. */
export const exact = (text) =>
  text
    .split(HIDDEN)
    .map((piece, at) => (at % 2 === 1 && piece !== "\n" ? h("span.odd", { "data-number": numbered(piece) }, piece) : piece));

const MOMENT = /\b\d{4}-\d\d-\d\dT[\d:.]+Z/g;

/** A sentence of the service: what stands between backticks is code, and moments are written as everywhere in the page. */
export const told = (sentence) =>
  visible(sentence)
    .split("`")
    .map((piece, at) => (at % 2 === 1 ? h("code", {}, piece) : piece.replace(MOMENT, (it) => moment(it, "seconds"))));
