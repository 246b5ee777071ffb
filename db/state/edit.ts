import { isObject, type Json, type JsonObject } from "../json.ts";

/** A change inside a value. */
export type Edit =
  /** Merges an object, by RFC 7396. */
  | { kind: "merge"; patch: JsonObject }
  /** Appends to a list. */
  | { kind: "append"; items: Json[] }
  /** Removes every equal member of a list. */
  | { kind: "remove"; item: Json }
  /** Sets and unsets what pointers name, one after the other. */
  | { kind: "change"; changes: Change[] };

/** Sets what a JSON pointer (RFC 6901) names, or unsets it where there is no `value`. */
export interface Change {
  path: string;
  /** The decoded parts of `path`, one or more. */
  tokens: string[];
  value?: Json;
}

/** The value that an edit leaves; or the pointer at which it fails, "" where the value has the wrong type. */
export type Edited = { value: Json; changed: boolean } | { path: string };

/** Applies an edit to a value, undefined where the key is absent. Modifies neither. */
export function applyEdit(found: Json | undefined, edit: Edit): Edited {
  switch (edit.kind) {
    case "merge":
      return ifAny(objectOf(found === undefined ? {} : found), (object) => merged(object, edit.patch));
    case "append":
      return ifAny(listOf(found === undefined ? [] : found), (list) => [...list, ...edit.items]);
    case "remove": {
      const list = listOf(found);
      const left = list?.filter((item) => !equals(item, edit.item));
      return left ? { value: left, changed: left.length < list!.length } : WRONG_TYPE;
    }
    case "change":
      return changedBy(found, edit.changes);
  }
}

const WRONG_TYPE = { path: "" };

function ifAny<T>(value: T | undefined, edited: (value: T) => Json): Edited {
  return value === undefined ? WRONG_TYPE : { value: edited(value), changed: true };
}

function changedBy(found: Json | undefined, changes: Change[]): Edited {
  if (listOf(found) === undefined && !isObject(found)) return WRONG_TYPE;
  let value: Json = found!;
  for (const change of changes) {
    const changed = changedAt(value, change.tokens, change.value);
    if (changed === undefined) return { path: change.path };
    value = changed;
  }
  return { value, changed: true };
}

/** Sets or unsets what a path names, in a copy that shares the rest of the value; undefined where it names nothing. */
function changedAt(holder: Json | undefined, tokens: string[], leaf: Json | undefined): Json | undefined {
  const [token, ...rest] = tokens as [string, ...string[]];
  const list = listOf(holder);
  const isLast = rest.length === 0;
  if (list) {
    const index = indexOf(token, list.length);
    if (index === undefined || (!isLast || leaf === undefined) && index === list.length) return undefined;
    const item = isLast ? leaf : changedAt(list[index], rest, leaf);
    if (item === undefined && !isLast) return undefined;
    return list.toSpliced(index, 1, ...item === undefined ? [] : [item]);
  }
  if (!isObject(holder)) return undefined;
  const isThere = Object.hasOwn(holder, token);
  if (!isThere && (!isLast || leaf === undefined)) return undefined;
  const member = isLast ? leaf : changedAt(holder[token], rest, leaf);
  if (member === undefined && !isLast) return undefined;
  const members = new Map(Object.entries(holder)); // a name may be __proto__
  if (member === undefined) members.delete(token);
  else members.set(token, member);
  return Object.fromEntries(members);
}

const INDEX = /^(0|[1-9]\d*)$/;

/** Reads a token of a pointer as an index of a list, at most its length, which `-` means. */
function indexOf(token: string, length: number): number | undefined {
  if (token === "-") return length;
  const index = INDEX.test(token) ? Number(token) : undefined;
  return index === undefined || index > length ? undefined : index;
}

/** Applies a merge patch (RFC 7396). */
function merged(value: Json, patch: JsonObject): Json {
  const members = new Map(isObject(value) ? Object.entries(value) : []);
  for (const [name, member] of Object.entries(patch)) {
    if (member === null) members.delete(name);
    else members.set(name, isObject(member) ? merged(members.get(name) ?? null, member) : member);
  }
  return Object.fromEntries(members);
}

/** Compares values as JSON, where the order of members does not matter. */
function equals(one: Json, other: Json): boolean {
  if (Array.isArray(one)) {
    return Array.isArray(other) && one.length === other.length &&
      one.every((item, n) => equals(item, other[n]!));
  }
  if (!isObject(one)) return one === other;
  const names = Object.keys(one);
  return isObject(other) && names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && equals(one[name]!, other[name]!));
}

export type JsonType = "null" | "boolean" | "number" | "string" | "array" | "object";

/** Names the type of a value, undefined where there is none. */
export function typeOf(value: Json | undefined): JsonType | undefined {
  if (value === undefined) return undefined;
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value as JsonType;
}

function listOf(value: Json | undefined): Json[] | undefined {
  return Array.isArray(value) ? value : undefined;
}

function objectOf(value: Json): JsonObject | undefined {
  return isObject(value) ? value : undefined;
}
