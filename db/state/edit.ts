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
      if (found !== undefined && !isObject(found)) return WRONG_TYPE;
      return { value: merged(found, edit.patch), changed: true };
    case "append":
      if (found !== undefined && !Array.isArray(found)) return WRONG_TYPE;
      return { value: [...found ?? [], ...edit.items], changed: true };
    case "remove": {
      if (!Array.isArray(found)) return WRONG_TYPE;
      const value = found.filter((item) => !equals(item, edit.item));
      return { value, changed: value.length < found.length };
    }
    case "change":
      return changedBy(found, edit.changes);
  }
}

const WRONG_TYPE = { path: "" };

type Holder = Json[] | JsonObject;

/** Makes changes one after the other, in one copy of each list and object that they change. */
function changedBy(found: Json | undefined, changes: Change[]): Edited {
  if (!isHolder(found)) return WRONG_TYPE;
  const value = copyOf(found);
  const copies = new Set([value]);
  for (const change of changes) if (!makeChange(value, change, copies)) return { path: change.path };
  return { value, changed: true };
}

/** Sets or unsets what a path names in a copy, and copies what it leads through; false where it names nothing. */
function makeChange(value: Holder, { tokens, value: leaf }: Change, copies: Set<Holder>): boolean {
  let holder = value;
  for (const token of tokens.slice(0, -1)) {
    const member = memberOf(holder, token);
    if (!isHolder(member)) return false;
    if (copies.has(member)) holder = member;
    else {
      const copy = copyOf(member);
      copies.add(copy);
      setMember(holder, token, copy);
      holder = copy;
    }
  }
  const last = tokens.at(-1)!;
  if (leaf === undefined) return memberOf(holder, last) !== undefined && unsetMember(holder, last);
  return setMember(holder, last, leaf);
}

function isHolder(value: Json | undefined): value is Holder {
  return typeof value === "object" && value !== null;
}

function copyOf<T extends Holder>(holder: T): T;
function copyOf(holder: Holder): Holder {
  return Array.isArray(holder) ? holder.slice() : { ...holder };
}

/** Returns the member of a name or index; undefined where there is none. */
function memberOf(holder: Holder, token: string): Json | undefined {
  if (Array.isArray(holder)) return holder[indexOf(token, holder.length) ?? -1];
  return Object.hasOwn(holder, token) ? holder[token] : undefined;
}

/** Sets a member, or an item up to the end of a list; false where it cannot be there. */
function setMember(holder: Holder, token: string, member: Json): boolean {
  if (!Array.isArray(holder)) {
    const property = { value: member, enumerable: true, configurable: true, writable: true };
    return Reflect.defineProperty(holder, token, property); // a name may be __proto__
  }
  const index = indexOf(token, holder.length);
  if (index !== undefined) holder[index] = member;
  return index !== undefined;
}

function unsetMember(holder: Holder, token: string): boolean {
  if (!Array.isArray(holder)) return delete holder[token];
  return holder.splice(Number(token), 1).length > 0;
}

const INDEX = /^(0|[1-9]\d*)$/;

/** Reads a token of a pointer as an index of a list, at most its length, which `-` means. */
function indexOf(token: string, length: number): number | undefined {
  if (token === "-") return length;
  const index = INDEX.test(token) ? Number(token) : undefined;
  return index === undefined || index > length ? undefined : index;
}

/** Applies a merge patch (RFC 7396). */
function merged(value: Json | undefined, patch: JsonObject): Json {
  const object = isObject(value) ? copyOf(value) : {};
  for (const [name, member] of Object.entries(patch)) {
    if (member === null) delete object[name];
    else setMember(object, name, isObject(member) ? merged(memberOf(object, name), member) : member);
  }
  return object;
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

type JsonType = "null" | "boolean" | "number" | "string" | "array" | "object";

/** Names the type of a value, undefined where there is none. */
export function typeOf(value: Json | undefined): JsonType | undefined {
  if (value === undefined) return undefined;
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value as JsonType;
}
