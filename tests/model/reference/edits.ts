/** JSON, as it is sent and answered. */
// deno-lint-ignore no-explicit-any -- values have no type until they are looked at
export type Json = any;

/** An edit as a request has it: the members of one of its kinds. */
export type Edit =
  | { merge: Json }
  | { append: Json }
  | { append_all: Json[] }
  | { remove: Json }
  | { set?: Record<string, Json>; unset?: string[] };

/** What an edit leaves of a value, or where it fails. `value` undefined: there is no such key. */
export type Edited = { value: Json; written: boolean } | { path: string };

export function edit(value: Json, by: Edit): Edited {
  const of = copy(value);
  if ("merge" in by) {
    if (of !== undefined && !isObject(of)) return { path: "" };
    return { value: mergePatch(of ?? {}, copy(by.merge)), written: true };
  }
  if ("append" in by || "append_all" in by) {
    if (of !== undefined && !Array.isArray(of)) return { path: "" };
    const items = "append" in by ? [by.append] : by.append_all;
    return { value: [...of ?? [], ...copy(items)], written: true };
  }
  if ("remove" in by) {
    if (!Array.isArray(of)) return { path: "" };
    const left = of.filter((item) => !same(item, by.remove));
    return { value: left, written: left.length < of.length };
  }
  if (of === null || typeof of !== "object") return { path: "" };
  for (const [path, leaf] of Object.entries(by.set ?? {})) {
    if (!change(of, path, (holder, name) => place(holder, name, copy(leaf)))) return { path };
  }
  for (const path of (by.unset ?? []).toReversed()) {
    if (!change(of, path, take)) return { path };
  }
  return { value: of, written: true };
}

const copy = (value: Json): Json => value === undefined ? undefined : structuredClone(value);
const isObject = (value: Json) => value !== null && typeof value === "object" && !Array.isArray(value);

/** The algorithm of RFC 7396, word for word. */
function mergePatch(target: Json, patch: Json): Json {
  if (!isObject(patch)) return patch;
  if (!isObject(target)) target = {};
  for (const name of Object.keys(patch)) {
    if (patch[name] === null) delete target[name];
    else define(target, name, mergePatch(own(target, name), patch[name]));
  }
  return target;
}

const own = (holder: Json, name: string) => Object.hasOwn(holder, name) ? holder[name] : undefined;

function define(holder: Json, name: string, value: Json) {
  Object.defineProperty(holder, name, { value, writable: true, enumerable: true, configurable: true });
}

/** Walks to what holds the last name of a pointer (RFC 6901) and changes it there. */
function change(value: Json, path: string, by: (holder: Json, name: string) => boolean): boolean {
  const names = path.split("/").slice(1).map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
  let holder = value;
  for (const name of names.slice(0, -1)) {
    holder = Array.isArray(holder) && !/^(0|[1-9][0-9]*)$/.test(name) ? undefined : own(Object(holder), name);
    if (holder === null || typeof holder !== "object") return false;
  }
  return by(holder, names.at(-1)!);
}

function place(holder: Json, name: string, value: Json): boolean {
  if (!Array.isArray(holder)) {
    define(holder, name, value);
    return true;
  }
  const index = name === "-" ? holder.length : /^(0|[1-9][0-9]*)$/.test(name) ? Number(name) : NaN;
  if (!(index <= holder.length)) return false;
  holder[index] = value;
  return true;
}

function take(holder: Json, name: string): boolean {
  if (!Array.isArray(holder)) return Object.hasOwn(holder, name) && delete holder[name];
  if (!/^(0|[1-9][0-9]*)$/.test(name) || Number(name) >= holder.length) return false;
  holder.splice(Number(name), 1);
  return true;
}

/** Whether two values are the same JSON: members in any order. */
export function same(one: Json, other: Json): boolean {
  return ordered(one) === ordered(other);
}

function ordered(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(ordered)}]`;
  if (!isObject(value)) return JSON.stringify(value);
  return `{${Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${ordered(value[name])}`)}}`;
}
