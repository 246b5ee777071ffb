import { isSecure } from "../access/acts.ts";
import { ADMITTED, FROM_ADMITTED } from "../write/admission.ts";
import { REGISTERED } from "./registration.ts";

export const IS_SECURED = isSecure(":agent");

/** True where nobody has used the id `:agent` in the room, or was given it, so that whoever takes it takes nobody over. */
export const UNUSED = `NOT (${
  [
    REGISTERED,
    IS_SECURED,
    "EXISTS (SELECT 1 FROM former_agents WHERE room_id = :room AND agent_id = :agent)",
    "EXISTS (SELECT 1 FROM senders WHERE room_id = :room AND agent_id = :agent)",
    "EXISTS (SELECT 1 FROM attempts WHERE room_id = :room AND agent_id = :agent)",
    "EXISTS (SELECT 1 FROM reservations WHERE room_id = :room AND agent_id = :agent)",
    "EXISTS (SELECT 1 FROM state WHERE room_id = :room AND scope = :agent AND NOT deleted)",
  ].join("\n  OR ")
})`;

/** Makes the agent secure, for good. */
export const SECURE =
  `INSERT INTO secured (room_id, agent_id) SELECT :room, :agent ${FROM_ADMITTED} ON CONFLICT DO NOTHING`;

/**
 * True where the agent may be registered: a registered one unless `:if_new`, a new one while there are less than
 * `:max`.
 */
export const MAY_REGISTER = `CASE WHEN ${REGISTERED} THEN NOT :if_new ELSE agent_count < :max END`;

/** The assignment of the room's count of agents, in the admission. */
export const COUNT_AGENT = `agent_count = agent_count + NOT ${REGISTERED}`;

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
