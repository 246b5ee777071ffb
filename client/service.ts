import { type CallOptions, Connection, type ConnectOptions } from "./connection.ts";
import type { JsonObject, JsonOf } from "./json.ts";
import { Room } from "./room.ts";
import type { RoomInfo } from "./room_info.ts";

/** A Convene service. */
export class Convene {
  constructor(readonly connection: Connection) {}

  /** An existing room. Sends no request. */
  room(id: string, { agent }: { agent?: string } = {}): Room {
    return new Room(this.connection, id, agent);
  }

  /** Creates a room, or opens it if it exists. Without an id it gets a UUID. */
  async open<M extends object = JsonObject>(
    id?: string,
    { meta, agent, signal }: CallOptions & {
      meta?: M & JsonOf<M>;
      agent?: string;
    } = {},
  ): Promise<Room> {
    const { body } = await this.connection.write<RoomInfo>("POST", "/rooms", { id, meta }, { signal });
    return this.room(body.id, { agent });
  }

  /** The rooms, newest first. `limit`: at most 1,000; default: 100. */
  async rooms({ limit, signal }: CallOptions & { limit?: number } = {}): Promise<RoomInfo[]> {
    return (await this.connection.get<RoomInfo[]>("/rooms", { limit }, { signal })).body;
  }
}

/**
 * Makes a client of a service, and sends no request. `url`: its address with the scheme, `http://localhost:8000`; in a
 * page `location.origin`. Errors: `TypeError` for an address or headers that `fetch` refuses.
 */
export function connect(url: string, options: ConnectOptions = {}): Convene {
  return new Convene(new Connection(url, options));
}
