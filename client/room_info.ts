import type { JsonObject } from "./json.ts";

export interface RoomInfo {
  id: string;
  created_at: string;
  meta: JsonObject;
  /** True if it needs a token. */
  locked?: true;
  /** False for an open room that lists leave out. */
  listed?: false;
}
