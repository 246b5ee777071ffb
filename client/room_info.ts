import type { JsonObject } from "./json.ts";

/** What a room is. */
export interface RoomInfo {
  id: string;
  created_at: string;
  meta: JsonObject;
  /** It answers nobody without a token of its own. */
  locked?: true;
  /** It is open, and lists leave it out. */
  listed?: false;
}
