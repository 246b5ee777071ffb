import type { Facts, RefusalCode } from "../errors.ts";
import { DELETED } from "./release.ts";

/**
 * Refuses a request, which has changed nothing. It carries facts: HTTP, MCP and the command make words of them.
 * `revision` is the room's revision that the refusal reflects, where the room exists.
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

/**
 * Reads the value of `REVISION` (release.ts). Errors: `room_not_found` for a deleted room; `unavailable` where this
 * release may not serve the room.
 */
export function served(value: unknown): number {
  const revision = Number(value);
  if (revision >= 0) return revision;
  if (-revision >= DELETED) throw new Refusal("room_not_found", {});
  throw new Refusal("unavailable", { why: "later_release" });
}
