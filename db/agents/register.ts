import { FORGET_EXPIRED, INSERT_TOKEN, type NewToken, newToken } from "../access/make_token.ts";
import { IS_ADMIN, ownHashOf } from "../access/own_token.ts";
import { foundSeeing, isPrivate, privateFor } from "../access/private.ts";
import { knownFacts, learnToken } from "../access/token.ts";
import type { Database } from "../database.ts";
import { type Row, type Statement, statementOf } from "../driver/statement.ts";
import type { Json } from "../json.ts";
import { Refusal } from "../refusal.ts";
import { revisionOf, ROOM_CURRENT } from "../rooms/room.ts";
import { holderOf, type Viewer } from "../viewer.ts";
import { ADMITTED, FROM_ADMITTED } from "../write/admission.ts";
import type { Operation, Step } from "../write/context.ts";
import { announceHidden, hidingSteps } from "../write/hide.ts";
import { commit } from "../write/write.ts";
import { AGENT, type Agent, GET, OF_AGENT, toAgent } from "./agent.ts";
import {
  admitAgent,
  COME_BACK,
  IS_SECURED,
  limitArgs,
  limitReached,
  LIMITS_REACHED,
  REGISTER,
  type RegistrationLimits,
  SECURE,
  UNUSED,
} from "./register_sql.ts";
import { newestWaitNow, toNewest } from "./waits.ts";

interface RegistrationRequest {
  /** By default a new one. */
  id?: string;
  name: string;
  role?: string;
  meta?: Json;
  /** Refuses the id of an agent that is registered. */
  ifNew?: boolean;
  /** Makes the agent secure: from then on only the token that this makes, or an admin's, acts as it. */
  secure?: boolean;
  /** Hides the scope of its id from all but itself and admins, for good. Only with `secure`. */
  private?: boolean;
}

const MAY_SECURE = `(${IS_SECURED} OR ${IS_ADMIN} OR ${UNUSED})`;

/** Makes the agent's token, unless it is secure already. */
const MAKE_TOKEN = `${INSERT_TOKEN} ${FROM_ADMITTED} AND NOT ${IS_SECURED}`;
const MADE = "SELECT id, hash FROM tokens WHERE room_id = :room AND hash = :hash";
const WHY_NOT = `
  SELECT NOT ${MAY_SECURE} AS taken, ${LIMITS_REACHED} FROM rooms WHERE id = :room`;

/** The columns that `toNewest` reads of a wait. */
const WAIT = ["agent_id", "token", "waiting_on"];

/** The parts of a registration that its statements share. */
interface Registering {
  room: string;
  nonce: string;
  id: string;
  now: Date;
  agent: RegistrationRequest;
  viewer: Viewer;
  token?: NewToken;
  limits: RegistrationLimits;
}

/**
 * Registers an agent. One that is registered already takes on the fields that are given. `token`, of a secure agent, is
 * shown once: it is null in a repetition under an idempotency key, and left out where the agent was secure before.
 * Errors: `room_not_found`, `unauthenticated`, `forbidden`, `agent_exists`, `limit_reached`.
 */
export function registerAgent(
  database: Database,
  room: string,
  agent: RegistrationRequest,
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
        admission: admitAgent({ ...agent, id }, limits, {
          where: token ? [MAY_SECURE] : [],
          args: ownHashOf(context.viewer),
        }),
        effects: effectsOf(registering),
        reads: readsOf(registering),
      });
      if (token && !outcome.replayed && outcome.rows[2]?.length) {
        // It expires with the token that makes it.
        const ends = knownFacts(context.viewer)?.ends ?? context.viewer.token !== undefined;
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

function effectsOf({ room, nonce, id, now, agent, viewer, token }: Registering): Step[] {
  const shown = token ? { sql: isPrivate(":agent"), args: {} } : privateFor(viewer, ":agent");
  const beside = shown === undefined ? "" : `, ${shown.sql} AS private`;
  const args = {
    ...{ room, nonce, agent: id, name: agent.name, role: agent.role ?? null },
    meta: agent.meta === undefined ? null : JSON.stringify(agent.meta),
    now: now.toISOString(),
    ...shown?.args,
  };
  return [
    ...token ? secureSteps({ ...args, ...ownHashOf(viewer) }, token) : [],
    ...agent.private ? hidingSteps(args) : [],
    {
      ...statementOf(REGISTER + beside, args),
      single: true,
      answer: { columns: beside ? [...AGENT, "private"] : AGENT, query: `SELECT *${beside} ${OF_AGENT}` },
    },
    statementOf(COME_BACK, args),
  ];
}

/** Makes the agent secure, and makes its token if it was not. */
function secureSteps(write: Statement["args"], { id, hash }: NewToken): Step[] {
  const args = { ...write, token_id: id, hash, role: "member", note: null, expires_at: null };
  return [`${FORGET_EXPIRED} AND ${ADMITTED}`, MAKE_TOKEN, SECURE].map((sql) => statementOf(sql, args));
}

function readsOf({ room, id, agent, viewer, token, limits }: Registering): Step[] {
  const why = { room, agent: id, ...ownHashOf(viewer), ...limitArgs(limits) };
  return [
    { sql: ROOM_CURRENT, args: { room } },
    { ...newestWaitNow(room, id), answer: { columns: WAIT } },
    ...agent.ifNew ? [{ sql: GET, args: { room, agent: id } }] : [],
    ...token
      ? [
        { sql: MADE, args: { room, hash: token.hash }, single: true, answer: { columns: ["id"] } },
        { sql: WHY_NOT, args: why, single: true },
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
  return limitReached(why, agent.private, limits, revision);
}
