import { type CallOptions, Connection, type ConnectOptions } from "./connection.ts";
import type { JsonObject, JsonOf } from "./json.ts";
import { Room, type RoomInfo } from "./room.ts";

/** A service of Convene. */
export class Convene {
  constructor(readonly connection: Connection) {}

  /** A room that is there, seen by an agent or by none. Nothing is asked of the service. */
  room(id: string, { agent }: { agent?: string } = {}): Room {
    return new Room(this.connection, id, agent);
  }

  /** Creates a room, or joins it if it exists. Without an id it gets a UUID. */
  async open<M extends object = JsonObject>(
    id?: string,
    { meta, agent, signal }: CallOptions & {
      meta?: M & JsonOf<M>;
      agent?: string;
    } = {},
  ): Promise<Room> {
    const { body } = await this.connection.write<RoomInfo>("POST", "/rooms", {
      id,
      meta,
    }, { signal });
    return this.room(body.id, { agent });
  }

  /** The rooms, newest first: 100 unless told, at most 1,000. */
  async rooms(
    { limit, signal }: CallOptions & { limit?: number } = {},
  ): Promise<RoomInfo[]> {
    return (await this.connection.get<RoomInfo[]>("/rooms", { limit }, {
      signal,
    })).body;
  }
}

/**
 * Nothing is asked of the service yet. `url` is its whole address: `http://localhost:8000`, in a page
 * `location.origin`. Errors: `TypeError` for one without a scheme.
 */
export function connect(url: string, options: ConnectOptions = {}): Convene {
  return new Convene(new Connection(url, options));
}
