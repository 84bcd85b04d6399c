// What to do about what is missing. A test holds the sentences that are recognized here against the service's own.

/** What to do about a reason, as the service words it. */
export function fix(reason, canRetry) {
  const retry = canRetry ? "then retry" : "then retry once the export has ended";
  if (/replaced or deleted/.test(reason)) return `Put the planned version back as it was, ${retry}; or export the day anew.`;
  if (/is archived/.test(reason)) return `Restore the object from its archive, ${retry}.`;
  if (/may not be read by the service/.test(reason)) return `Let the service read the object, ${retry}.`;
  if (/cannot be read|records/.test(reason)) return "A retry reads the same object again. Correct the object, and export the day anew.";
  if (/signature|container|storage/i.test(reason)) return `Give the export a signature that may write, ${retry}.`;
  return `Wait a little, ${retry}. If it stays so, show the operator this reason.`;
}
