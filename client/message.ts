import type { CallOptions } from "./connection.ts";
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

export interface Post extends CallOptions {
  /** The room's own agent unless told. */
  from?: string;
  /** An address, not a lock: everyone in the room reads every message. */
  to?: string;
  /** Other names of `from` and `to`, as messages have them: what was read can be sent. */
  from_agent?: string | null;
  to_agent?: string | null;
  /** `message` unless told. */
  kind?: string;
  reply_to?: number;
}

export interface MessageFilter extends CallOptions {
  /** Ids greater than this. */
  after?: number;
  kind?: string;
  from?: string;
  to?: string;
  /** A message and every reply below it. */
  thread?: number;
  unclaimed?: boolean;
}

export interface MessagePage extends MessageFilter {
  /** All that match unless told: as many requests as it takes. */
  limit?: number;
  /** The newest that match, still in order. */
  last?: number;
}
