/** What the members of a room share. */
export type Json = null | boolean | number | string | Json[] | {
  [name: string]: Json;
};

export type JsonObject = { [name: string]: Json };
