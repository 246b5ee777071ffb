/** The reason why the service does not start, as a sentence for its operator. */
export class StartRefusal extends Error {
  override readonly name = "StartRefusal";
}

/** Runs a step of the start. On a refusal or a missing permission logs one line and exits. Errors: others of the step. */
export function starting<T>(step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof StartRefusal || error instanceof Deno.errors.NotCapable)) throw error;
    console.error(error.message);
    Deno.exit(1);
  }
}
