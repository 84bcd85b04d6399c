// Asking again: soon while something is going on, and slowly while nobody looks.

/** How many seconds pass at least between two questions of a page that is hidden. */
const HIDDEN = 60;

/** How many seconds pass when the service did not answer. */
const LOST = 10;

/**
 * Calls `turn` again and again, until `stop`. It answers after how many seconds it is to be called next, or `null` for only when
 * `now` is called; the signal that it is given says that nobody waits for it any more.
 */
export function polling(turn) {
  let timer;
  let isStopped = false;
  let going = null;
  const left = new AbortController();
  const now = () => {
    clearTimeout(timer);
    going ??= run().finally(() => {
      going = null;
    });
    return going;
  };
  async function run() {
    const seconds = await turn(left.signal).catch((error) => {
      if (error.name === "AbortError") return null;
      console.warn(`The page could not be brought up to date: ${error.name}`);
      return LOST;
    });
    if (isStopped || seconds === null) return;
    timer = setTimeout(now, 1000 * (document.hidden ? Math.max(seconds, HIDDEN) : seconds));
  }
  const onVisible = () => {
    if (!document.hidden && !isStopped) now();
  };
  document.addEventListener("visibilitychange", onVisible);
  addEventListener("signed-in", onVisible);
  return {
    now,
    stop() {
      isStopped = true;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", onVisible);
      removeEventListener("signed-in", onVisible);
      left.abort();
    },
  };
}
