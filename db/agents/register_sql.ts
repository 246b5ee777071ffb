import { isSecure } from "../access/acts.ts";
import { TOKENS_LEFT } from "../access/make_token.ts";
import { selectLivingKeys } from "../consistent_read/living.ts";
import { argsOf, type Row } from "../driver/statement.ts";
import { Refusal } from "../refusal.ts";
import { RELEASE_OF_ACCESS } from "../release.ts";
import { type Admission, ADMITTED, FROM_ADMITTED } from "../write/admission.ts";
import { FEW_MOVE, HIDING, MAY_HIDE, SCOPES_LEFT } from "../write/hide.ts";
import { REGISTERED } from "./registration.ts";

/** How many a room may have; of keys, how many each private scope, and how many one that becomes private, deleted ones too. */
export interface RegistrationLimits {
  agents: number;
  tokens: number;
  privateKeys: number;
  movedKeys: number;
  privateScopes: number;
}

export const IS_SECURED = isSecure(":agent");

/** True where nobody has used the id `:agent` in the room, or was given it, so that whoever takes it takes nobody over. */
export const UNUSED = `NOT (${
  [
    REGISTERED,
    IS_SECURED,
    "EXISTS (SELECT 1 FROM former_agents WHERE room_id = :room AND agent_id = :agent)",
    "EXISTS (SELECT 1 FROM senders WHERE room_id = :room AND agent_id = :agent)",
    "EXISTS (SELECT 1 FROM reservations WHERE room_id = :room AND agent_id = :agent)",
    `EXISTS (${selectLivingKeys("WHERE room_id = :room AND scope = :agent")})`,
  ].join("\n  OR ")
})`;

/** Makes the agent secure, for good. */
export const SECURE =
  `INSERT INTO secured (room_id, agent_id) SELECT :room, :agent ${FROM_ADMITTED} ON CONFLICT DO NOTHING`;

/**
 * True where the agent may be registered: a registered one unless `:if_new`, a new one while there are less than
 * `:max`.
 */
const MAY_REGISTER = `CASE WHEN ${REGISTERED} THEN NOT :if_new ELSE agent_count < :max END`;

const COUNT_AGENT = `agent_count = agent_count + NOT ${REGISTERED}`;

/**
 * Makes the admission of a registration. `secure`: it makes the agent secure, with a token; `private`: its scope too.
 * `further`: more preconditions, and their arguments.
 */
export function admitAgent(
  agent: { id: string; secure?: boolean; private?: boolean; ifNew?: boolean },
  limits: RegistrationLimits,
  further: Pick<Admission, "where" | "args">,
): Admission {
  const { id, secure = false, private: hides = false, ifNew = false } = agent;
  const counts = [COUNT_AGENT, ...secure ? ["guarded = 1"] : [], ...hides ? HIDING : []];
  const own = [MAY_REGISTER, ...secure ? [TOKENS_LEFT] : [], ...hides ? [MAY_HIDE, SCOPES_LEFT] : []];
  const where = [...further.where, ...own];
  const args = {
    ...further.args,
    ...limitArgs(limits),
    agent: id,
    max: limits.agents,
    if_new: Number(ifNew),
  };
  return {
    counts,
    where,
    args: argsOf([...counts, ...where].join(), args),
    requires: secure ? RELEASE_OF_ACCESS : undefined,
  };
}

/** Selects, for `limitReached`, which limits a registration would exceed. */
export const LIMITS_REACHED = `
  NOT ${TOKENS_LEFT} AS tokens_full, NOT ${FEW_MOVE} AS scope_worn, NOT ${MAY_HIDE} AS scope_full,
  NOT ${SCOPES_LEFT} AS scopes_full`;

/** Makes the arguments of `LIMITS_REACHED`. */
export function limitArgs({ tokens, privateKeys, movedKeys, privateScopes }: RegistrationLimits) {
  return { max_tokens: tokens, max_private: privateKeys, max_moved: movedKeys, max_scopes: privateScopes };
}

/** Makes the refusal of a registration that exceeds a limit: by the row of `LIMITS_REACHED`, else that of agents. */
export function limitReached(
  why: Row | undefined,
  hides: boolean | undefined,
  limits: RegistrationLimits,
  revision?: number,
): Refusal {
  const full = why?.tokens_full
    ? { of: "tokens" as const, max: limits.tokens }
    : hides && why?.scope_worn
    ? { of: "moved keys" as const, max: limits.movedKeys }
    : hides && why?.scope_full
    ? { of: "private keys" as const, max: limits.privateKeys }
    : hides && why?.scopes_full
    ? { of: "private scopes" as const, max: limits.privateScopes }
    : { of: "agents" as const, max: limits.agents };
  return new Refusal("limit_reached", full, revision);
}

/**
 * Registers the agent. Where `:name`, `:role` or `:meta` is null, a registered agent keeps its own; a new one gets its
 * id as its name, the role `agent`, and no meta.
 */
export const REGISTER = `
  INSERT INTO agents (room_id, id, name, role, meta, status, joined, joined_at, last_heartbeat, revision, secure)
  SELECT :room, :agent, COALESCE(:name, :agent), COALESCE(:role, 'agent'), COALESCE(:meta, '{}'), 'active', revision, :now, :now, revision,
         guarded AND ${IS_SECURED}
  ${FROM_ADMITTED}
  ON CONFLICT (room_id, id) DO UPDATE SET
    name = COALESCE(:name, name),
    role = COALESCE(:role, role),
    meta = COALESCE(:meta, meta),
    status = 'active',
    last_heartbeat = excluded.last_heartbeat,
    revision = excluded.revision,
    secure = excluded.secure
  RETURNING *`;

/** Deletes the record of its departure, so that lists of changes do not tell of it. */
export const COME_BACK =
  `DELETE FROM departed WHERE room_id = :room AND kind = 'agents' AND id = :agent AND ${ADMITTED}`;
