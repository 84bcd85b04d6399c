// What of an export is missing, and why.

import { button, h } from "./dom.js";
import { fix } from "./reasons.js";
import { told } from "./texts.js";
import { counted, days, needs, number } from "./words.js";

/** The most reasons that are listed. */
const MOST_TOLD = 50;

/** Why these chunks failed, or lack objects, and what to do about it: those with the same reason together. */
export function troubles(chunks, task) {
  const reasons = new Map();
  for (const chunk of chunks)
    for (const { object, reason } of chunk.missing ?? [{ reason: chunk.reason ?? "no reason was kept" }]) {
      const text = object ? `${object} ${reason}` : reason;
      reasons.set(text, [...(reasons.get(text) ?? []), chunk]);
    }
  if (reasons.size === 0) return null;
  const canRetry = needs(task) === "retry";
  const rows = [...reasons].slice(0, MOST_TOLD).map(([reason, of]) => {
    const ofDays = [...new Set(of.map((chunk) => chunk.day))].filter(Boolean);
    const named = of
      .slice(0, 5)
      .map((chunk) => number(chunk.chunk))
      .join(", ");
    return h(
      "li",
      { "data-key": reason },
      h(
        "p",
        {},
        h("strong", {}, `Chunk${of.length > 1 ? "s" : ""} ${named}${of.length > 5 ? ` and ${number(of.length - 5)} more` : ""}`),
        ofDays.length > 0 && `, ${days(ofDays[0], ofDays[0])}${ofDays.length > 1 ? " and other days" : ""}`,
      ),
      h("p.reason", {}, told(reason)),
      h("p", {}, fix(reason, canRetry)),
      ofDays.length === 1 && h("p", {}, button("like-day", "Export this day anew", { "data-day": ofDays[0] })),
    );
  });
  const more = reasons.size - rows.length;
  return [
    h("h3", {}, "What is missing, and what to do"),
    h("ul.troubles", {}, rows),
    more > 0 && h("p.note", {}, `And ${counted(more, "reason")} more; the manifest names them all.`),
    canRetry && h("p", {}, button("retry", "Retry what is missing", { "data-id": task.id, class: "primary" })),
  ];
}
