import {
  FORGET_EXPIRED,
  INSERT_TOKEN,
  IS_ADMIN,
  type NewToken,
  newToken,
  RELEASE_OF_ACCESS,
  TOKENS_LEFT,
} from "../access/make_token.ts";
import { knownFacts, learnToken } from "../access/token.ts";
import { foundSeeing, isPrivate, privateFor } from "../access/private.ts";
import { AGENT, type Agent, GET, OF_AGENT, toAgent } from "./agent.ts";
import type { Database } from "../database.ts";
import type { Json } from "../json.ts";
import { Refusal } from "../refusal.ts";
import { revisionOf, ROOM_CURRENT } from "../rooms/room.ts";
import { REGISTERED, toNewest, waitsNow } from "./presence.ts";
import type { Row } from "../driver/statement.ts";
import { holderOf, type Viewer } from "../viewer.ts";
import { type Admission, ADMITTED, FROM_ADMITTED } from "../write/admission.ts";
import type { Operation } from "../write/context.ts";
import { announceHidden, HIDING, hidingSteps, KEYS_LEFT } from "../write/hide.ts";
import type { Step } from "../write/idempotency.ts";
import { commit } from "../write/write.ts";

/** What an agent registers as. */
export interface Registration {
  id?: string;
  name: string;
  role?: string;
  meta?: Json;
  /** Refuses an id that is there. */
  ifNew?: boolean;
  /** Makes a token, without which nobody can act as the agent from then on. */
  secure?: boolean;
  /** Hides the scope of its name from all others but admins, for good. Only with `secure`. */
  private?: boolean;
}

const IS_SECURED = "EXISTS (SELECT 1 FROM secured WHERE room_id = :room AND agent_id = :agent)";

/** True of an id under which nobody has done anything in the room, so that nobody is taken over. */
export const UNUSED = `NOT (${
  [
    REGISTERED,
    "EXISTS (SELECT 1 FROM former_agents WHERE room_id = :room AND agent_id = :agent)",
    "EXISTS (SELECT 1 FROM senders WHERE room_id = :room AND agent_id = :agent)",
    "EXISTS (SELECT 1 FROM attempts WHERE room_id = :room AND agent_id = :agent)",
    "EXISTS (SELECT 1 FROM reservations WHERE room_id = :room AND agent_id = :agent)",
    "EXISTS (SELECT 1 FROM state WHERE room_id = :room AND scope = :agent AND NOT deleted)",
  ].join("\n  OR ")
})`;

const MAY_SECURE = `(${IS_SECURED} OR ${IS_ADMIN} OR ${UNUSED})`;

/** Makes the token of an agent that was not secure until now. */
const MAKE_TOKEN = `${INSERT_TOKEN} ${FROM_ADMITTED} AND NOT ${IS_SECURED}`;
const MADE = "SELECT id, hash FROM tokens WHERE room_id = :room AND hash = :hash";
const WHY_NOT = `
  SELECT NOT ${MAY_SECURE} AS taken, NOT ${TOKENS_LEFT} AS full, ${KEYS_LEFT} > :most_private AS crowded
    FROM rooms WHERE id = :room`;
export const SECURE =
  `INSERT INTO secured (room_id, agent_id) SELECT :room, :agent ${FROM_ADMITTED} ON CONFLICT DO NOTHING`;

export const MAY_REGISTER = `CASE WHEN ${REGISTERED} THEN NOT :if_new ELSE agent_count < :max END`;

/** `:name` may be null, for the agent's id or the name that it has. */
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

export const COME_BACK =
  `DELETE FROM departed WHERE room_id = :room AND kind = 'agents' AND id = :agent AND ${ADMITTED}`;

/** The columns that `toNewest` reads of a wait. */
const WAIT = ["agent_id", "token", "waiting_on"];

/** The limits of registrations: agents of a room, its tokens, and its keys in private scopes. */
export interface RegistrationLimits {
  agents: number;
  tokens: number;
  privateKeys: number;
}

/** A registration under way. */
interface Registering {
  room: string;
  nonce: string;
  id: string;
  now: Date;
  agent: Registration;
  viewer: Viewer;
  token?: NewToken;
  limits: RegistrationLimits;
}

/**
 * Registers an agent. One that is there takes on `name` and the other fields that are given; with `ifNew` it is
 * refused. Errors: `room_not_found`, `agent_exists`, `limit_reached`.
 */
export function registerAgent(
  database: Database,
  room: string,
  agent: Registration,
  limits: RegistrationLimits,
): Operation<{ agent: Agent; created: boolean; revision: number; token?: string | null }> {
  const token = agent.secure ? newToken(room, "member", database) : undefined;
  return {
    acts: { as: agent.id ?? null },
    async run(context) {
      const [nonce, id, now] = [context.newId(), agent.id ?? context.newId(), await context.time()];
      const registering = { room, nonce, id, now, agent, viewer: context.viewer, token, limits };
      const { outcome, reads } = await commit(database, context, {
        room,
        part: "agents",
        nonce,
        now,
        admission: admissionOf(registering),
        effects: effectsOf(registering),
        reads: readsOf(registering),
      });
      if (token && !outcome.replayed && outcome.rows[2]?.length) {
        const ends = knownFacts(context.viewer)?.ends ?? context.viewer.token !== undefined; // as of the one that asked
        learnToken(token.hash, { id: token.id, room, role: "member", agent: id, ends });
        if (agent.private) foundSeeing(holderOf(token.hash, room));
      }
      if (outcome.revision === undefined) throw refusalOf(registering, reads);
      if (agent.private) announceHidden(database, room, outcome.revision);
      return outcome;
    },
    answer({ now, revision, replayed, rows: [registered, waits, made] }) {
      const row = registered![0]!;
      const created = Number(row.joined) === revision;
      const answer = { agent: toAgent(row, toNewest(waits!), now), created, revision: revision! };
      return made?.length ? { ...answer, token: replayed ? null : token!.text } : answer;
    },
  };
}

const ownHashOf = ({ token }: Viewer) => ({ own_hash: token?.hash ?? null });

function admissionOf({ id, agent, viewer, token, limits }: Registering): Admission {
  const hides = agent.private ?? false;
  return {
    counts: [
      `agent_count = agent_count + NOT ${REGISTERED}`,
      ...token ? ["guarded = 1"] : [],
      ...hides ? HIDING : [],
    ],
    where: [
      MAY_REGISTER,
      ...token ? [MAY_SECURE, TOKENS_LEFT] : [],
      ...hides ? [`${KEYS_LEFT} <= :most_private`] : [],
    ],
    args: {
      agent: id,
      max: limits.agents,
      if_new: Number(agent.ifNew ?? false),
      ...token && { ...ownHashOf(viewer), most_tokens: limits.tokens },
      ...hides && { most_private: limits.privateKeys },
    },
    requires: token && RELEASE_OF_ACCESS,
  };
}

function effectsOf({ room, nonce, id, now, agent, viewer, token }: Registering): Step[] {
  const meta = agent.meta === undefined ? null : JSON.stringify(agent.meta);
  const profile = { name: agent.name, role: agent.role ?? null, meta, now: now.toISOString() };
  const shown = token ? { sql: isPrivate(":agent"), args: {} } : privateFor(viewer, ":agent");
  const beside = shown === undefined ? "" : `, ${shown.sql} AS private`;
  return [
    ...token ? secureSteps({ room, nonce, agent: id, now, ...ownHashOf(viewer) }, token) : [],
    ...agent.private ? hidingSteps({ room, nonce, agent: id, now: profile.now }) : [],
    {
      sql: REGISTER + beside,
      args: { room, nonce, agent: id, ...profile, ...shown?.args },
      single: true,
      answer: { columns: beside ? [...AGENT, "private"] : AGENT, query: `SELECT *${beside} ${OF_AGENT}` },
    },
    { sql: COME_BACK, args: { room, nonce, agent: id } },
  ];
}

function readsOf({ room, id, agent, viewer, token, limits }: Registering): Step[] {
  const most = { most_tokens: limits.tokens, most_private: limits.privateKeys };
  return [
    { sql: ROOM_CURRENT, args: { room } },
    { ...waitsNow(room, id), answer: { columns: WAIT } },
    ...agent.ifNew ? [{ sql: GET, args: { room, agent: id } }] : [],
    ...token
      ? [
        { sql: MADE, args: { room, hash: token.hash }, single: true, answer: { columns: ["id"] } },
        { sql: WHY_NOT, args: { room, agent: id, ...ownHashOf(viewer), ...most }, single: true },
      ]
      : [],
  ];
}

/** Explains a refusal by the rows of `readsOf`. */
function refusalOf({ id, agent, token, limits }: Registering, [rooms, _, ...further]: Row[][]): Refusal {
  const revision = revisionOf(rooms!);
  const [why] = token ? further[agent.ifNew ? 2 : 1]! : [];
  if (agent.ifNew && further[0]!.length > 0) return new Refusal("agent_exists", { agent: id }, revision);
  if (why?.taken) return new Refusal("agent_exists", { agent: id, used: true }, revision);
  if (why?.full) return new Refusal("limit_reached", { of: "tokens", max: limits.tokens }, revision);
  if (agent.private && why?.crowded) {
    return new Refusal("limit_reached", { of: "private keys", max: limits.privateKeys }, revision);
  }
  return new Refusal("limit_reached", { of: "agents", max: limits.agents }, revision);
}

/** Makes the agent secure, and its token where it was not. */
function secureSteps(
  { now, ...args }: { room: string; nonce: string; agent: string; now: Date; own_hash: string | null },
  { id, hash }: NewToken,
): Step[] {
  const { room, nonce, agent } = args;
  const token = {
    ...args,
    token_id: id,
    hash,
    role: "member",
    note: null,
    expires_at: null,
    now: now.toISOString(),
  };
  return [
    { sql: `${FORGET_EXPIRED} AND ${ADMITTED}`, args: { room, nonce } },
    { sql: MAKE_TOKEN, args: token },
    { sql: SECURE, args: { room, nonce, agent } },
  ];
}
