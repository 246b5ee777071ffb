/** Any JSON value, as `JSON.parse` makes it. */
export type Json = null | boolean | number | string | Json[] | { [member: string]: Json };

/** JSON that is sent as it is stored. Of a list nobody looks into what is large: it need not be parsed and written again. */
export class StoredJson {
  constructor(readonly text: string) {}

  toJSON(): Json {
    return JSON.parse(this.text);
  }
}

/** A stored JSON text as the value that it says, for what is only sent. */
export function stored(text: string): Json {
  return new StoredJson(text) as unknown as Json;
}
