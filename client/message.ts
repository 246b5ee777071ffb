import type { CallOptions } from "./connection.ts";
import type { Json } from "./json.ts";

/** The status of a message as a task. Ordinary messages are `open` too. */
export type TaskStatus = "open" | "blocked" | "claimed" | "done" | "failed";

export interface Message<T = Json> {
  /** Ascending, with gaps. */
  id: number;
  room_id: string;
  from_agent: string | null;
  to_agent: string | null;
  /** Sent under the sender's own token, or an admin's that spoke as it. */
  verified: boolean;
  kind: string;
  body: T;
  created_at: string;
  reply_to: number | null;
  status: TaskStatus;
  /** The agent that holds it or finished it. */
  claimed_by: string | null;
  claimed_at: string | null;
  /** When the claim ends unless it is renewed; null for a claim that does not end by itself. */
  claimed_until: string | null;
  /** The number of the claim, which rises over all claims of the room: a fencing token. */
  fence: number | null;
  /** How often it was claimed. */
  attempts: number;
  max_attempts: number | null;
  /** The ids of the messages that have to be done before it can be claimed. */
  needs: number[];
  done_at: string | null;
  /** The id of the message that has its result. */
  result_id: number | null;
  failure: TaskFailure | null;
}

/** Why a task failed. */
export interface TaskFailure {
  reason: "failed" | "attempts" | "need" | "ttl" | "withdrawn" | "trimmed";
  /** The `error` of the last `fail` or `release`. */
  error?: Json;
  /** The id of the need that failed. */
  message?: number;
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
  /** The ids of at most 32 messages: it is `blocked` until all of them are done. */
  needs?: number[];
  /** How often it may be claimed. It is `failed` when the last claim ends without `complete`. */
  max_attempts?: number;
}

/** The answer to a post. */
export interface Posted<T = Json> extends Message<T> {
  /** The sender is not registered. */
  notice?: "agent_not_registered";
  /** The receiver, if `to` was given. The other members are null if it is not registered. */
  recipient?: {
    registered: boolean;
    alive: boolean | null;
    status: string | null;
    waiting_on: string | null;
    last_heartbeat: string | null;
  };
}

export interface MessageFilter extends CallOptions {
  /** Ids greater than this. */
  after?: number;
  kind?: string;
  from?: string;
  to?: string;
  /** A message and every reply below it. */
  thread?: number;
  reply_to?: number;
  status?: TaskStatus;
  claimed_by?: string;
  /** Status `open`. */
  unclaimed?: boolean;
}

export interface MessagePage extends MessageFilter {
  /** Default: all that match, in as many requests as it takes. */
  limit?: number;
  /** The number of newest matches to return, ids ascending. */
  last?: number;
}
