/**
 * Runs what a control starts, once at a time: undefined where it is running. The control is marked as busy and not
 * disabled, which would take the focus from whoever uses the keyboard.
 */
export async function once(control, act) {
  if (control.ariaBusy === "true") return undefined;
  control.ariaBusy = "true";
  try {
    return await act();
  } finally {
    control.ariaBusy = "false";
  }
}

/** The same for what may fail: `complaint` then says what was not done, and why. */
export function onceOr(control, complaint, failed, act) {
  return once(control, async () => {
    complaint.textContent = "";
    try {
      await act();
    } catch ({ message }) {
      complaint.textContent = `${failed}: ${message}`;
    }
  });
}
