import type { Json } from "../json.ts";
import type { Edit } from "./edit.ts";

/** One or several writes of keys, which succeed together. */
export interface Put {
  writes: StateWrite[];
  limits: StateLimits;
  /** Whether refusals name the `index` of the write that fails. */
  batch: boolean;
  /** The writer, which becomes `updated_by` and gets a heartbeat if it is registered. */
  agent?: string;
}

/** Writes a key: a value, the expression of a view, an amount to add to the current number, or an edit of the value. */
export interface StateWrite {
  scope: string;
  key: string;
  value?: Json;
  /** The value as JSON, where that is known. */
  json?: string;
  expr?: string;
  delta?: number;
  edit?: Edit;
  /** The version that the entry must have; 0 if the key must be absent. */
  ifVersion?: number;
  /** Seconds until the key is deleted; by default it stays. */
  ttl?: number;
  /** Set where `value` was computed from the entry: `kept` if it is the entry's own, so that nothing is written. */
  computed?: "changed" | "kept";
}

export interface StateLimits {
  /** Keys of a room. */
  keys: number;
  /** Keys of a private scope. */
  privateKeys: number;
  /** Views of a room. */
  views: number;
  /** Bytes of the expressions of a room's views. */
  viewBytes: number;
  /** Bytes of a value as JSON. */
  valueBytes: number;
}

/** Whether a write may leave its entry as it is, and then writes nothing. */
export function mayKeep({ edit, computed }: StateWrite): boolean {
  return edit?.kind === "remove" || computed === "kept";
}

export function idOf({ scope, key }: { scope: string; key: string }): string {
  return JSON.stringify([scope, key]);
}

export function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}
