/** A JSON value. */
export type Json = null | boolean | number | string | Json[] | {
  [name: string]: Json;
};

export type JsonObject = { [name: string]: Json };

/** Types that JSON cannot express. */
type Lost =
  | undefined
  | bigint
  | symbol
  | ((...args: never) => unknown)
  | (abstract new (...args: never) => unknown);

/**
 * `T` if JSON keeps all of it, with `never` for what it loses. `value: T & JsonOf<T>` accepts interfaces, which `Json`
 * refuses since they have no index signature. Optional members may be undefined and are left out.
 */
export type JsonOf<T> = [T] extends [Json] ? T
  : T extends null | boolean | number | string ? T
  : T extends Lost ? never
  : T extends readonly unknown[] ? { [I in keyof T]: JsonOf<T[I]> }
  : T extends object ? {
      [K in keyof T]: JsonOf<Exclude<T[K], undefined>> | Extract<T[K], undefined>;
    }
  : never;

const KEPT = ["Object", "Array", "Number", "String", "Boolean"];

/** Names the type of a Map, a Set, a Promise and what else JSON would keep nothing of; undefined for others. */
function emptied(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null || Object.keys(value).length > 0) return undefined;
  const type = Object.prototype.toString.call(value).slice("[object ".length, -1);
  return KEPT.includes(type) ? undefined : type;
}

/**
 * Serializes a body. Errors: `TypeError` for values that JSON cannot express, for which `JSON.stringify` would send
 * null, an empty object or nothing.
 */
export function textOf(body: unknown): string {
  return JSON.stringify(body, function (name, value) {
    const type = emptied(value);
    if (type !== undefined) throw refused(name, `a ${type}`);
    const kind = typeof value;
    const lost = kind === "number"
      ? !Number.isFinite(value)
      : ["bigint", "function", "symbol"].includes(kind) ||
        (kind === "undefined" && Array.isArray(this));
    if (!lost) return value;
    throw refused(name, String(value).slice(0, 40));
  });
}

function refused(name: string, what: string): TypeError {
  return new TypeError(`${JSON.stringify(name)}: ${what} is no JSON. Send text, or null.`);
}
