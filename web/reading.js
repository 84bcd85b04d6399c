// Reading all parts of an export, its chunks or its files, again while it is at work.

import * as api from "./api.js";

/** The fewest milliseconds until it is looked again whether to read. */
const SOON = 500;

/**
 * Reads all of a task's `part` when `refresh` is called: at once when the task has ended, else not before `rest` milliseconds
 * for each thousand of them have passed. `keep` says what is kept of one; `came` gets what is read so far, page by page, and
 * `ended` all of it, or the error.
 */
export function reading(app, id, part, { rest, isAtWork, keep = (one) => one, came = () => {}, ended }) {
  const left = new AbortController();
  let count = 0;
  let readAt = 0;
  let going = false;
  let timer;

  async function refresh() {
    clearTimeout(timer);
    const wait = isAtWork() ? readAt + rest * Math.ceil(count / 1000) - Date.now() : 0;
    if (going || wait > 0) {
      timer = setTimeout(refresh, Math.max(wait, SOON));
      return;
    }
    going = true;
    let problem = null;
    const read = [];
    try {
      for await (const page of api.parts(app, id, part, left.signal)) {
        read.push(...page.map(keep));
        came(read);
      }
      count = read.length;
    } catch (error) {
      if (error.name === "AbortError") return;
      problem = error;
    } finally {
      going = false;
      readAt = Date.now();
    }
    ended(read, problem);
  }
  return {
    refresh,
    stop() {
      clearTimeout(timer);
      left.abort();
    },
  };
}
