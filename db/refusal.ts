import type { Facts, RefusalCode } from "../errors.ts";

/**
 * A request that cannot be served as the room stands: nothing was changed. It carries facts; the words are made where
 * they are said. `revision` is the room's revision that the refusal reflects, where the room exists.
 */
export class Refusal<Code extends RefusalCode = RefusalCode> extends Error {
  override readonly name = "Refusal";
  constructor(readonly code: Code, readonly facts: Facts<Code>, readonly revision?: number) {
    super(code);
  }
}

export function isRefusal<Code extends RefusalCode>(error: unknown, code: Code): error is Refusal<Code> {
  return error instanceof Refusal && error.code === code;
}

/** A room's revision as a query for it has it (release.ts). Errors: `unavailable` where it may not be served. */
export function served(revision: unknown): number {
  if (revision === null) throw new Refusal("unavailable", { why: "later_release" });
  return Number(revision);
}
