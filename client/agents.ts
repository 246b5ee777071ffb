import type { JsonObject } from "./json.ts";

export type Status = "active" | "idle" | "busy" | "waiting";

/** An agent as the room shows it. Times are ISO 8601. */
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
}

/** What a registration answers. */
export interface Registered extends Agent {
  /** Whether the agent is new in the room. */
  created: boolean;
}

export interface Registration<M = JsonObject> {
  /** The room's own agent unless told; without either the service gives a UUID. */
  id?: string;
  /** The id unless told. */
  name?: string;
  role?: string;
  meta?: M;
  /** Only if no agent has this id: else the error `agent_exists`. */
  if_new?: boolean;
}

export interface Heartbeat {
  ok: true;
  agent: string;
  status: Status;
  heartbeat: string;
}
