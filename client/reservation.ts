import type { Json } from "./json.ts";

/** Paths on which an agent works. */
export interface Reservation {
  id: string;
  room_id: string;
  agent: string;
  /** Globs: `src/**`, `docs/*.md`. */
  paths: string[];
  mode: "exclusive" | "shared";
  note: Json;
  /** Its number, which rises over all of the room: a fencing token. */
  fence: number;
  created_at: string;
  expires_at: string;
  /** In the answer to `reserve`: the agent is not registered. */
  notice?: "agent_not_registered";
}

/** A reservation that ended, in lists of changes. */
export interface Ended {
  id: string;
  ended: true;
}
