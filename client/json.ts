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

/**
 * Serializes a body. Errors: `TypeError` for values that JSON cannot express, for which `JSON.stringify` would send
 * null or nothing.
 */
export function textOf(body: unknown): string {
  return JSON.stringify(body, function (name, value) {
    const kind = typeof value;
    const lost = kind === "number"
      ? !Number.isFinite(value)
      : ["bigint", "function", "symbol"].includes(kind) ||
        (kind === "undefined" && Array.isArray(this));
    if (!lost) return value;
    throw new TypeError(
      `${JSON.stringify(name)}: ${String(value).slice(0, 40)} is no JSON. Send text, or null.`,
    );
  });
}
