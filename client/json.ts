/** What the members of a room share. */
export type Json = null | boolean | number | string | Json[] | {
  [name: string]: Json;
};

export type JsonObject = { [name: string]: Json };

/** Types that JSON has no word for. */
type Lost =
  | undefined
  | bigint
  | symbol
  | ((...args: never) => unknown)
  | (abstract new (...args: never) => unknown);

/**
 * `T` where JSON keeps all of it, so that `value: T & JsonOf<T>` takes interfaces too, which `Json` refuses since they
 * have no index signature. What is lost is `never`; optional members may be undefined and are left out.
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
 * A body as it is sent. Errors: `TypeError` for what JSON has no word for: `JSON.stringify` would send null for it,
 * or nothing.
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
