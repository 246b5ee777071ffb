/** What the members of a room share. */
export type Json = null | boolean | number | string | Json[] | {
  [name: string]: Json;
};

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

export type JsonObject = { [name: string]: Json };
