// What to do about what is missing. A test holds the sentences that are recognized here against the service's own.

/** What to do first so that a retry helps, where that is not the usual: a part of a sentence, in the order that works. */
export function again(reason) {
  if (/refused the write/.test(reason))
    return "put right in the storage account what the reason names, then retry; or export anew into another container.";
  if (!/found no such container/.test(reason)) return null;
  const wait = /ContainerBeingDeleted/.test(reason) ? "wait until storage has deleted the container; then " : "";
  const what = /AccountNotFound/.test(reason) ? "the storage account and the container" : "the container";
  return `${wait}make ${what} again under the same name, and then retry. Only if that is refused because of the signature, give it a new one. The files that lay there are gone, and a retry writes none of them again: where Azure can restore what was deleted, restore it instead; else export anew.`;
}

/** What to do about a reason, as the service words it. */
export function fix(reason, canRetry) {
  const retry = canRetry ? "then retry" : "then retry once the export has ended";
  const first = again(reason);
  if (first) return first[0].toUpperCase() + first.slice(1);
  if (/replaced or deleted/.test(reason)) return `Put the planned version back as it was, ${retry}; or export the day anew.`;
  if (/is archived/.test(reason)) return `Restore the object from its archive, ${retry}.`;
  if (/may not be read by the service/.test(reason)) return `Let the service read the object, ${retry}.`;
  if (/cannot be read|records/.test(reason)) return "A retry reads the same object again. Correct the object, and export the day anew.";
  if (/refused the signature/.test(reason)) return `Give the export a signature that may write, ${retry}.`;
  return `Wait a little, ${retry}. If it stays so, show the operator this reason.`;
}
