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

/** What an edit makes of a value; or the pointer at which it fails, "" where the value is of the wrong type. */
export type Edited = { value: Json; changed: boolean } | { path: string };

/** Applies an edit to a value, undefined where there is none, and leaves both as they are. */
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
  const value: Json = structuredClone(found!);
  for (const change of changes) if (!makeChange(value, change)) return { path: change.path };
  return { value, changed: true };
}

/** Sets or unsets what a path names in a value; false where it names nothing. */
function makeChange(value: Json, { tokens, value: leaf }: Change): boolean {
  let holder: Json | undefined = value;
  for (const token of tokens.slice(0, -1)) holder = childOf(holder, token);
  const last = tokens.at(-1)!;
  const list = listOf(holder);
  if (list) {
    const index = indexOf(last, list.length);
    if (index === undefined || leaf === undefined && index === list.length) return false;
    list.splice(index, 1, ...leaf === undefined ? [] : [structuredClone(leaf)]);
    return true;
  }
  if (!isObject(holder)) return false;
  if (leaf === undefined) return Object.hasOwn(holder, last) && delete holder[last];
  const member = { value: structuredClone(leaf), enumerable: true, configurable: true, writable: true };
  Object.defineProperty(holder, last, member); // a name may be __proto__
  return true;
}

function childOf(holder: Json | undefined, token: string): Json | undefined {
  const list = listOf(holder);
  if (list) return list[indexOf(token, list.length) ?? -1];
  return isObject(holder) && Object.hasOwn(holder, token) ? holder[token] : undefined;
}

const INDEX = /^(0|[1-9]\d*)$/;

/** Reads a token of a pointer as an index of a list, up to its length, which `-` stands for. */
export function indexOf(token: string, length: number): number | undefined {
  if (token === "-") return length;
  const index = INDEX.test(token) ? Number(token) : undefined;
  return index === undefined || index > length ? undefined : index;
}

function merged(value: Json, patch: JsonObject): Json {
  const members = new Map(isObject(value) ? Object.entries(value) : []);
  for (const [name, member] of Object.entries(patch)) {
    if (member === null) members.delete(name);
    else members.set(name, isObject(member) ? merged(members.get(name) ?? null, member) : member);
  }
  return Object.fromEntries(members);
}

/** Compares as JSON: the order of members does not count. */
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
