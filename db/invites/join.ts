import { AS_NONE } from "../access/acts.ts";
import { isLocked } from "../access/locked.ts";
import { FORGET_EXPIRED, type NewToken, newToken } from "../access/make_token.ts";
import { inForce, learnToken } from "../access/token.ts";
import {
  admitAgent,
  COME_BACK,
  limitArgs,
  limitReached,
  LIMITS_REACHED,
  REGISTER,
  type RegistrationLimits,
  SECURE,
  UNUSED,
} from "../agents/register_sql.ts";
import type { Database } from "../database.ts";
import { statementOf } from "../driver/statement.ts";
import type { Json } from "../json.ts";
import { Refusal, served } from "../refusal.ts";
import { SERVED } from "../release.ts";
import { IS_SERVED, revisionOf, ROOM_CURRENT } from "../rooms/room.ts";
import { EVERYBODY, OPERATOR, SERVICE } from "../viewer.ts";
import { ADMITTED } from "../write/admission.ts";
import { announceHidden, hidingSteps } from "../write/hide.ts";
import type { Step } from "../write/context.ts";
import { commit } from "../write/write.ts";
import { findInvite, type FoundInvite, type JoinKey, keyArgs, madeUnderKey } from "./find.ts";
import { BY_OPERATOR, INVITE_IN_FORCE } from "./invite.ts";

interface Joiner {
  /** Its id; by default the invited one, else a new one. */
  agent?: string;
  /** By default the name that the agent has, else its id. */
  name?: string;
  role?: string;
  meta?: Json;
  /** Hides the scope of its id from all but itself and admins, for good. */
  private?: boolean;
}

export interface Joined {
  /** The stored id. */
  room: string;
  agent: string;
  /** The text, shown once. */
  token: string;
  revision: number;
  /** Whether an earlier request under the key has joined: this token replaces the one that it made. */
  replayed: boolean;
}

/**
 * Joins a room by the code of an invitation: makes a token and registers its agent, as secure and where asked as
 * private, in one write. A refused request uses nothing up. A repetition under its key replaces the token by another:
 * the first answer may have been lost. `code`: the hash of the code; `invite`: what `findInvite` returned for it.
 * Errors: `invite_not_found`, `forbidden`, `agent_exists`, `limit_reached`, `idempotency_mismatch`, `unavailable`.
 */
export async function join(
  database: Database,
  code: string,
  invite: FoundInvite,
  joiner: Joiner,
  limits: RegistrationLimits,
  key?: JoinKey,
): Promise<Joined> {
  for (let found: FoundInvite | undefined = invite; found; found = await findInvite(database, code, key)) {
    served(found.revision);
    if (found.made) {
      if (found.made.request !== key!.request) {
        throw new Refusal("idempotency_mismatch", { by: "another request" });
      }
      const again = await replaceToken(database, found.room, found.made, key!);
      if (again) return again;
      continue;
    }
    if (!found.inForce) break;
    if (found.agent !== null && joiner.agent !== undefined && joiner.agent !== found.agent) {
      throw new Refusal("forbidden", { invited: found.agent });
    }
    const joined = await tryJoin(database, code, found, joiner, limits, key);
    if (joined) return joined;
  }
  throw new Refusal("invite_not_found", {});
}

/** True where the invitation of `:code` is in force, and no earlier request under the key has joined by it. */
const MAY_USE = `EXISTS (
  SELECT 1 FROM invites WHERE hash = :code AND room_id = :room AND ${INVITE_IN_FORCE})
  AND NOT EXISTS (SELECT 1 FROM tokens WHERE ${madeUnderKey(":room")})`;

/**
 * True of the row of an invitation since which somebody has become its agent who is neither that agent nor an admin: who
 * joins by it would share the agent, and the private scope of its name, unawares.
 */
const OTHER_IS_THERE = `EXISTS (
  SELECT 1 FROM tokens AS other LEFT JOIN tokens AS its ON its.room_id = other.room_id AND its.id = other.made_by
   WHERE other.room_id = :room AND other.agent_id = :agent AND other.created_at > invites.created_at
     AND ${inForce("other")}
     AND NOT COALESCE(its.role = 'admin' OR its.agent_id = :agent, other.made_by = '${OPERATOR}', FALSE))`;

/** True where nobody has used the agent's id, or an admin has invited this agent by its id, and nobody took it since. */
const MAY_TAKE = `(${UNUSED} OR EXISTS (
  SELECT 1 FROM invites LEFT JOIN tokens AS maker
      ON maker.room_id = invites.room_id AND maker.id = invites.made_by
   WHERE invites.hash = :code AND invites.agent_id = :agent
     AND (:is_locked OR ${BY_OPERATOR} OR maker.role = 'admin') AND NOT ${OTHER_IS_THERE}))`;

const MAKE_TOKEN = `
  INSERT INTO tokens (room_id, id, hash, role, agent_id, note, created_at, expires_at, made_by, request_key, requested_at)
  SELECT :room, :token_id, :hash, invites.role, :agent, invites.note, :now, maker.expires_at, maker.id,
         :request_key, :requested_at
    FROM invites LEFT JOIN tokens AS maker ON maker.room_id = invites.room_id AND maker.id = invites.made_by
   WHERE invites.hash = :code AND ${ADMITTED}`;

const USE = `UPDATE invites SET used = used + 1 WHERE hash = :code AND ${ADMITTED}`;

const ENDS = "SELECT expires_at IS NOT NULL AS ends FROM tokens WHERE room_id = :room AND hash = :hash";
const WHY_NOT = `
  SELECT ${MAY_USE} AS may_use, ${MAY_TAKE} AS may_take, ${LIMITS_REACHED}
    FROM rooms WHERE id = :room AND ${SERVED}`;

/**
 * Makes one attempt; returns undefined where the invitation is not in force any more, or the key's request has joined.
 */
async function tryJoin(
  database: Database,
  code: string,
  invite: FoundInvite,
  joiner: Joiner,
  limits: RegistrationLimits,
  key?: JoinKey,
): Promise<Joined | undefined> {
  const { room } = invite;
  const [nonce, now] = [database.newId(), await database.time()];
  const agent = joiner.agent ?? invite.agent ?? database.newId();
  const token = newToken(room, invite.role, database);
  const under = key ? await keyArgs(database, key) : { key: null, expired: 0 };
  const asked = { code, agent, is_locked: Number(isLocked(room)), ...under };
  const { outcome, reads: [_, [why] = [], [made] = []] } = await commit(
    database,
    { viewer: EVERYBODY, acts: AS_NONE },
    {
      room,
      part: "agents",
      nonce,
      now,
      admission: admitAgent({ id: agent, secure: true, private: joiner.private }, limits, {
        where: [MAY_USE, MAY_TAKE],
        args: asked,
      }),
      effects: joinSteps({ room, nonce, code, agent, now }, token, joiner, key),
      reads: [
        { sql: ROOM_CURRENT, args: { room } },
        { sql: WHY_NOT, args: { room, ...asked, ...limitArgs(limits) }, single: true },
        { sql: ENDS, args: { room, hash: token.hash }, single: true },
      ],
    },
  );
  if (outcome.revision !== undefined) {
    if (joiner.private) announceHidden(database, room, outcome.revision);
    learnToken(token.hash, { id: token.id, room, role: invite.role, agent, ends: Boolean(made?.ends) });
    return { room, agent, token: token.text, revision: outcome.revision, replayed: false };
  }
  if (!why?.may_use) return undefined;
  if (why.may_take) throw limitReached(why, joiner.private, limits);
  throw new Refusal("agent_exists", { agent, used: true, invited: invite.agent !== null });
}

function joinSteps(
  write: { room: string; nonce: string; code: string; agent: string; now: Date },
  token: NewToken,
  joiner: Joiner,
  key?: JoinKey,
): Step[] {
  const { name = null, role = null, meta, private: hides } = joiner;
  const args = {
    ...{ ...write, token_id: token.id, hash: token.hash, name, role },
    meta: meta === undefined ? null : JSON.stringify(meta),
    now: write.now.toISOString(),
    request_key: key ? key.key + key.request : null,
    requested_at: key ? write.now.getTime() : null,
  };
  const step = (sql: string): Step => statementOf(sql, args);
  return [
    ...[`${FORGET_EXPIRED} AND ${ADMITTED}`, MAKE_TOKEN, USE, SECURE].map(step),
    ...hides ? hidingSteps(args) : [],
    step(REGISTER),
    step(COME_BACK),
  ];
}

const REPLACE = `
  UPDATE tokens SET hash = :hash, unused = 1
   WHERE id = :id AND ${madeUnderKey(":room")} AND ${IS_SERVED}
  RETURNING id`;

/** Replaces the token that the request made before; returns undefined where that is not in force any more. */
async function replaceToken(
  database: Database,
  room: string,
  { id, agent, role }: NonNullable<FoundInvite["made"]>,
  key: JoinKey,
): Promise<Joined | undefined> {
  const token = newToken(room, role, database);
  const [replaced, rooms] = await database.commit(SERVICE, [
    { sql: REPLACE, args: { room, id, hash: token.hash, ...await keyArgs(database, key) }, single: true },
    { sql: ROOM_CURRENT, args: { room } },
  ]);
  if (replaced!.length === 0) return undefined;
  return { room, agent, token: token.text, revision: revisionOf(rooms!), replayed: true };
}
