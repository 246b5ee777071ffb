import type { Json } from "./json.ts";

export interface Message<T = Json> {
  /** Ids rise, and may skip. */
  id: number;
  room_id: string;
  from_agent: string | null;
  to_agent: string | null;
  kind: string;
  body: T;
  created_at: string;
  reply_to: number | null;
  claimed_by: string | null;
  claimed_at: string | null;
}
