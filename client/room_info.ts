import type { JsonObject } from "./json.ts";

/** What a room is. */
export interface RoomInfo {
  id: string;
  created_at: string;
  meta: JsonObject;
}
