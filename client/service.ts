import { textIn } from "./body.ts";
import { type CallOptions, Connection, type ConnectOptions } from "./connection.ts";
import type { JsonObject, JsonOf } from "./json.ts";
import { tokenLost } from "./errors.ts";
import { joinBy, type Joined, type Joiner } from "./joining.ts";
import { madeAnew } from "./made.ts";
import { optionsOf } from "./options.ts";
import { Room } from "./room.ts";
import type { RoomInfo } from "./room_info.ts";

/** A Convene service. */
export class Convene {
  constructor(readonly connection: Connection) {}

  /** An existing room, with a token of it if it has its own. Sends no request. */
  room(id: string, options: { agent?: string; token?: string } = {}): Room {
    const { agent, token } = optionsOf(options, "room(id, { agent })");
    return new Room(token === undefined ? this.connection : this.connection.with(token), id, agent);
  }

  /**
   * Creates a room, or opens it if it exists. Without an id it gets a UUID. `locked`: a new room that needs a
   * token; the `Room` has its admin's: keep it for `connect(url, { token })`. `listed: false` keeps an open room out of
   * lists.
   */
  async open<M extends object = JsonObject>(
    id?: string,
    options: CallOptions & {
      meta?: M & JsonOf<M>;
      agent?: string;
      locked?: boolean;
      listed?: boolean;
    } = {},
  ): Promise<Room> {
    const { agent, signal, ...asked } = optionsOf(options, "open(id, { agent })");
    // A locked room has a token, which is null in a repeated answer.
    type Opened = RoomInfo & { token?: string | null };
    return await madeAnew("token", async () => {
      const { body } = await this.connection.write<Opened>("POST", "/rooms", { id, ...asked }, { signal });
      const made = textIn(body, "id");
      if (body.token === undefined) return this.room(made, { agent });
      if (body.token !== null) return new Room(this.connection.with(body.token), made, agent);
      if (id !== undefined) throw tokenLost("The room is made");
    });
  }

  /** The rooms, newest first. `limit`: at most 1,000; default: 100. `all`: what the operator sees, locked ones too. */
  async rooms(
    { limit, all, signal }: CallOptions & { limit?: number; all?: boolean } = {},
  ): Promise<RoomInfo[]> {
    return (await this.connection.list<RoomInfo>("/rooms", { limit, all }, { signal })).body;
  }

  /**
   * Joins a room by a code, or by the address of an invitation of this service. Errors: `TypeError` for another
   * address; `invite_not_found`, `agent_exists`, `forbidden` if the code invites another agent.
   */
  async join<M extends object = JsonObject>(
    code: string,
    { signal, ...joiner }: Joiner<M & JsonOf<M>> & CallOptions = {},
  ): Promise<Joined> {
    return await joinBy(this.connection, this.#codeIn(code), joiner, signal);
  }

  #codeIn(text: string): string {
    if (!text.includes("/")) return text;
    const { service, code } = invitationAt(text);
    if (service === this.connection.url) return code;
    throw new TypeError(`This invitation is not of ${this.connection.url}: join(url) joins by its address.`);
  }
}

/** Reads the address of an invitation. Errors: `TypeError` for another one. */
function invitationAt(url: string): { service: string; code: string } {
  const [, service, code] = /^(.*)\/join\/([\w-]+)\/?(?:[?#].*)?$/.exec(url) ?? [];
  if (service === undefined || code === undefined) {
    throw new TypeError("This is no address of an invitation: http://host:port/join/<code> is one.");
  }
  return { service, code };
}

/**
 * Joins a room by the address that an invitation has (`url`): makes a token and registers the agent, as secure. Errors:
 * `TypeError` for another address; those of `Convene.join`.
 */
export async function join<M extends object = JsonObject>(
  url: string,
  { agent, name, role, meta, private: hides, signal, ...options }:
    & Joiner<M & JsonOf<M>>
    & CallOptions
    & Omit<ConnectOptions, "token"> = {},
): Promise<Joined> {
  const { service, code } = invitationAt(url);
  const joiner = { agent, name, role, meta, private: hides };
  return await joinBy(new Connection(service, options), code, joiner, signal);
}

/**
 * Makes a client of a service, and sends no request. `url`: its address with the scheme, `http://localhost:8000`; in a
 * page `location.origin`. `token`: for rooms that need one, and to act as a secure agent. Errors: `TypeError` for an
 * address, headers or a token that `fetch` refuses.
 */
export function connect(url: string, options: ConnectOptions = {}): Convene {
  return new Convene(new Connection(url, options));
}
