import { checkDone, textIn } from "./body.ts";
import type { CallOptions, Connection } from "./connection.ts";
import { madeAnew } from "./made.ts";
import type { Role } from "./tokens.ts";

interface Invited {
  id: string;
  role: Role;
  /** The agent that it invites; null for one of the joiner's choice. */
  agent: string | null;
  /** The number of times that it can be used. */
  uses: number;
  expires_at: string;
  note: string | null;
}

/** An invitation in force, without its code. Times are ISO 8601. */
export interface Invite extends Invited {
  uses_left: number;
  created_at: string;
}

/** An invitation that was made. */
export interface MadeInvite extends Invited {
  /** Shown in this answer only. */
  code: string;
  /** The address to pass on: it tells an agent how to join, and `join(url)` takes it. */
  url: string;
}

export interface InviteOptions extends CallOptions {
  /** Default: `member`. */
  role?: Role;
  agent?: string;
  /** Default: 1; at most 100. */
  uses?: number;
  /** Whole seconds after which it ends. Default: 900; at most 604,800. */
  ttl?: number;
  /** Whom it is for, at most 256 characters: they see it. */
  note?: string;
}

/** The invitations to a room: codes by which agents on other machines join. */
export class Invites {
  constructor(readonly connection: Connection, readonly room: string) {}

  /**
   * Makes an invitation. In an open room anybody invites members under new ids, else an admin does. Errors:
   * `unauthenticated`, `forbidden`, `agent_exists`, `limit_reached`.
   */
  async create({ signal, role = "member", ...options }: InviteOptions = {}): Promise<MadeInvite> {
    type Told = Invited & { code: string | null; url: string | null };
    return await madeAnew("code", async () => {
      const body = { role, ...options };
      const made = (await this.connection.write<Told>("POST", this.#path(), body, { signal })).body;
      // The code is null if the answer with it was lost: that invitation ends by itself.
      if (made.code === null || made.url === null) return undefined;
      return { ...made, code: textIn(made, "code"), url: textIn(made, "url") };
    });
  }

  /** The invitations in force: for an admin all, for others those that their token made. */
  async list({ signal }: CallOptions = {}): Promise<Invite[]> {
    return (await this.connection.list<Invite>(this.#path(), {}, { signal })).body;
  }

  /** Revokes an invitation, as an admin. Agents that joined by it stay. Errors: `forbidden`, `invite_not_found`. */
  async revoke(id: string, { signal }: CallOptions = {}): Promise<void> {
    const { body } = await this.connection.write<object>("DELETE", this.#path(id), undefined, { signal });
    checkDone(body, "revoked");
  }

  #path = (id?: string) => `${this.room}/invites${id === undefined ? "" : `/${encodeURIComponent(id)}`}`;
}
