import type { JsonObject } from "./json.ts";

export type Status = "active" | "idle" | "busy" | "waiting";

/** An agent of a room. Times are ISO 8601. */
export interface Agent {
  id: string;
  room_id: string;
  name: string;
  role: string;
  meta: JsonObject;
  status: Status;
  /** The condition that it waits for. */
  waiting_on: string | null;
  joined_at: string;
  last_heartbeat: string;
  /** True if it had a heartbeat in the 60 seconds before this answer, or has a wait in progress. */
  alive: boolean;
  /** True if only its token or an admin's can act as it. */
  secure: boolean;
  /** Whether the scope of its name is its own: shown to itself and to admins. */
  private?: boolean;
}

/** An agent that left, in lists of changes. */
export interface Left {
  id: string;
  left: true;
}

/** The answer to a registration. */
export interface Registered extends Agent {
  /** True if the agent is new in the room. */
  created: boolean;
  /** The token that alone can act as the agent, in the answer that made it secure. */
  token?: string;
}

export interface Registration<M = JsonObject> {
  /** Default: the `Room`'s agent, else a UUID from the service. */
  id?: string;
  /** Default: the id; where the service makes that, `agent`. */
  name?: string;
  role?: string;
  meta?: M;
  /** Fails with `agent_exists` if an agent has this id. */
  if_new?: boolean;
  /**
   * Makes the agent secure: only the token of the answer can act as it. Fails with `agent_exists` if the id was used.
   */
  secure?: boolean;
  /** With `secure`: the scope of its name is its own from then on, for good. To all others but admins it is empty. */
  private?: boolean;
}

export interface Heartbeat {
  ok: true;
  agent: string;
  status: Status;
  heartbeat: string;
}
