import { textIn } from "./body.ts";
import type { Connection } from "./connection.ts";
import type { JsonObject } from "./json.ts";
import { Room } from "./room.ts";

/** The agent that joins by a code. */
export interface Joiner<M = JsonObject> {
  /** Default: the agent that the code invites, else a UUID from the service. */
  agent?: string;
  /** Default: the agent's id. */
  name?: string;
  role?: string;
  meta?: M;
  /** The scope of its name is its own from the same write on, for good. To all others but admins it is empty. */
  private?: boolean;
}

/** A room that was joined by a code. */
export interface Joined {
  /** The room for the agent, under its token. */
  room: Room;
  agent: string;
  /** The agent's token, shown in this answer only: keep it for `connect(url, { token })`. */
  token: string;
  revision: number;
  /** The address of the guide. */
  guide: string;
}

/** Joins a room by a code. If an answer is lost, the repeated request makes a new token in place of the lost one. */
export async function joinBy(
  connection: Connection,
  code: string,
  joiner: Joiner<object>,
  signal?: AbortSignal,
): Promise<Joined> {
  type Told = Omit<Joined, "room"> & { room: string };
  const path = `/join/${encodeURIComponent(code)}`;
  const { body } = await connection.write<Told>("POST", path, joiner, { signal });
  const [token, room, agent] = ["token", "room", "agent"].map((name) => textIn(body, name));
  return { ...body, room: new Room(connection.with(token!), room!, agent) };
}
