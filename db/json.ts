/** Any JSON value, as `JSON.parse` makes it. */
export type Json = null | boolean | number | string | Json[] | { [member: string]: Json };

/** JSON text that is sent as it is stored, which saves parsing and serializing the large fields of a list. */
export class StoredJson {
  constructor(readonly text: string) {}

  toJSON(): Json {
    return JSON.parse(this.text);
  }
}

/** Types a stored JSON text as its value, for answers that only send it. */
export function stored(text: string): Json {
  return new StoredJson(text) as unknown as Json;
}

/** JSON that several answers have: it is encoded once for all of them. */
export class SharedJson {
  constructor(readonly value: unknown) {}

  toJSON(): unknown {
    return this.value;
  }
}

/** Marks a value as one that several answers have. It must not change. */
export function shared<T>(value: T): T {
  return new SharedJson(value) as unknown as T;
}

export type JsonObject = { [member: string]: Json };

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
