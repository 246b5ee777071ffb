/** Why the service does not start, as a sentence for whoever starts it. */
export class StartRefusal extends Error {
  override readonly name = "StartRefusal";
}

/**
 * Runs a step of the start. Where it is refused, or lacks a permission, that is told in one line and the process ends.
 * Errors: any other of the step's.
 */
export function starting<T>(step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof StartRefusal || error instanceof Deno.errors.NotCapable)) throw error;
    console.error(error.message);
    Deno.exit(1);
  }
}
