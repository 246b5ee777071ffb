import { checkDone, textIn } from "./body.ts";
import type { CallOptions, Connection } from "./connection.ts";
import { madeAnew } from "./made.ts";

/** The rights of a token: everything, read and write, or read. */
export type Role = "admin" | "member" | "reader";

/** A token in force, without its text. Times are ISO 8601. */
export interface Token {
  id: string;
  role: Role;
  /** The only agent as which it can act. */
  agent: string | null;
  note: string | null;
  created_at: string;
  expires_at: string | null;
  /** The beginning of the last hour in which it was used; null if it was not. */
  last_used_at: string | null;
}

/** A token that was made. */
export interface MadeToken extends Token {
  /** Shown in this answer only. */
  token: string;
}

export interface TokenOptions extends CallOptions {
  role: Role;
  /** Binds it to this agent, which becomes secure. */
  agent?: string;
  /** Whole seconds after which it ends; without one it ends with the token that made it. */
  ttl?: number;
  /** Whom it is for, at most 256 characters. */
  note?: string;
}

/** The tokens of a room. */
export class Tokens {
  constructor(readonly connection: Connection, readonly room: string) {}

  /**
   * Makes a token. An admin makes any, a member narrower ones of its own agent. Errors: `forbidden`, `limit_reached`.
   */
  async create({ signal, ...body }: TokenOptions): Promise<MadeToken> {
    type Told = Token & { token: string | null };
    return await madeAnew("token", async () => {
      const made = (await this.connection.write<Told>("POST", this.#path(), body, { signal })).body;
      if (made.token !== null) return { ...made, token: textIn(made, "token") };
      await this.revoke(made.id, { signal }); // the answer with its text was lost
    });
  }

  /** The tokens in force: for an admin all, for others their own and those that it made. */
  async list({ signal }: CallOptions = {}): Promise<Token[]> {
    return (await this.connection.list<Token>(this.#path(), {}, { signal })).body;
  }

  /** Revokes a token and all that it made. Errors: `token_not_found`, `limit_reached` for the last admin's. */
  async revoke(id: string, { signal }: CallOptions = {}): Promise<void> {
    const { body } = await this.connection.write<object>("DELETE", this.#path(id), undefined, { signal });
    checkDone(body, "revoked");
  }

  /**
   * Gives the token under which this is called a new text: the old one is refused from then on. Go on with
   * `room.as(agent, { token })`. `revokeMade`: what it made is revoked too.
   */
  async rotate({ revokeMade, signal }: CallOptions & { revokeMade?: boolean } = {}): Promise<MadeToken> {
    const asked = { revoke_made: revokeMade };
    const path = this.#path("rotate");
    const { body } = await this.connection.write<MadeToken>("POST", path, asked, { signal });
    return { ...body, token: textIn(body, "token") };
  }

  #path = (id?: string) => `${this.room}/tokens${id === undefined ? "" : `/${encodeURIComponent(id)}`}`;
}
