import type { Json } from "../json.ts";
import { Refusal } from "../refusal.ts";
import type { Computed } from "../write/context.ts";
import { applyEdit, typeOf } from "./edit.ts";
import type { Entry } from "./entry.ts";
import { bytesOf, type StateLimits, type StateWrite } from "./put.ts";

/** The facts that refusals of a write share. */
export interface Refused {
  index?: number;
  scope: string;
  key: string;
  /** The stored entry, before all writes. */
  current: Entry | null;
  /** The version that the writes before it leave, if they write this key. */
  after?: number;
}

/** Makes the refusal of a write that does not fit the value that it finds. */
type Refuse = (refused: Refused, revision: number) => Refusal;

/** Applies a write to the value that it finds, undefined where the key is absent. Returns how it is refused if it must be. */
export function compute(
  { value = null, delta, edit, computed }: StateWrite,
  found: Json | undefined,
  { valueBytes: max }: StateLimits,
): Computed | Refuse {
  if (delta !== undefined) {
    const sum = add(found === undefined ? 0 : found, delta);
    if (sum !== undefined) return { value: sum, changed: true };
    return (refused, revision) => new Refusal("not_a_number", { ...refused, delta }, revision);
  }
  if (edit === undefined) return { value, changed: computed !== "kept" };
  const edited = applyEdit(found, edit);
  if ("path" in edited) {
    const facts = { path: edited.path, edit: edit.kind, found: typeOf(found) };
    return (refused, revision) => new Refusal("not_editable", { ...refused, ...facts }, revision);
  }
  const json = JSON.stringify(edited.value);
  const bytes = bytesOf(json);
  if (bytes <= max) return { ...edited, json };
  return (refused) => new Refusal("too_large", { ...refused, bytes, max });
}

/** Adds to a value; returns undefined where that is no number, or the sum is beyond ±(2^53 - 1). */
export function add(current: Json, delta: number): number | undefined {
  if (typeof current !== "number") return undefined;
  const sum = current + delta;
  return Math.abs(sum) <= Number.MAX_SAFE_INTEGER ? sum : undefined;
}
