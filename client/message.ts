import type { CallOptions } from "./connection.ts";
import type { Json } from "./json.ts";

export interface Message<T = Json> {
  /** Ascending, with gaps. */
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
  /** Default: the `Room`'s agent. */
  from?: string;
  /** The addressee. Everyone in the room can still read the message. */
  to?: string;
  /** Alternative names of `from` and `to`, those of a message's own members, so that a message can be sent again. */
  from_agent?: string | null;
  to_agent?: string | null;
  /** Default: `message`. */
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
  /** Default: all that match, in as many requests as it takes. */
  limit?: number;
  /** The number of newest matches to return, ids ascending. */
  last?: number;
}
