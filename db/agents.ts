import { shownRoom } from "./access/locked.ts";
import {
  FORGET_EXPIRED,
  INSERT_TOKEN,
  IS_ADMIN,
  type NewToken,
  newToken,
  RELEASE_OF_ACCESS,
  TOKENS_LEFT,
} from "./access/make_token.ts";
import { learnToken } from "./access/token.ts";
import { isPrivate, privateFor } from "./access/private.ts";
import { NOW } from "./clock.ts";
import type { Database } from "./database.ts";
import { DUE } from "./write/due.ts";
import { readCurrent } from "./write/endings.ts";
import { type Json, stored } from "./json.ts";
import type { Listing } from "./consistent_read/listing.ts";
import { Refusal } from "./refusal.ts";
import { REVISION } from "./release.ts";
import { revisionOf, ROOM_CURRENT } from "./rooms.ts";
import {
  isAlive,
  type Newest,
  newestWaitsOf,
  present,
  REGISTERED,
  type Status,
  toNewest,
  waitsNow,
} from "./presence.ts";
import type { Row } from "./driver/statement.ts";
import type { Viewer } from "./viewer.ts";
import { isBusyFor, mapYielding, yieldToOthers } from "./yield.ts";
import { readConsistent } from "./consistent_read/read.ts";
import { ADMITTED, FROM_ADMITTED } from "./write/admission.ts";
import type { Operation } from "./write/context.ts";
import { heartbeatOf } from "./write/heartbeat.ts";
import { announceHidden, HIDING, hidingSteps, KEYS_LEFT } from "./write/hide.ts";
import type { Step } from "./write/idempotency.ts";
import { commit } from "./write/write.ts";

export interface Agent {
  id: string;
  room_id: string;
  name: string;
  role: string;
  meta: Json;
  status: Status;
  waiting_on: string | null;
  joined_at: string;
  last_heartbeat: string;
  /** Whether it gave a sign of life in the last 60 seconds or has a wait in progress, when this was read. */
  alive: boolean;
  /** Whether only its token acts as it. */
  secure: boolean;
  /** Whether the scope of its name is its own: shown to itself and to admins. */
  private?: boolean;
}

/** What an agent registers as. */
export interface Registration {
  id?: string;
  name: string;
  role?: string;
  meta?: Json;
  /** Refuses an id that is there. */
  ifNew?: boolean;
  /** Makes a token, with which alone it acts from then on. */
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

const OTHER_STATUS =
  "EXISTS (SELECT 1 FROM agents WHERE room_id = :room AND id = :agent AND status <> :status)";

const SET_STATUS = `
  UPDATE agents SET status = :status, revision = (SELECT revision ${FROM_ADMITTED})
   WHERE room_id = :room AND id = :agent AND ${ADMITTED}`;

/** The room's row, with the time by which its agents are alive. */
const ROOM_NOW = `SELECT ${REVISION} AS revision, ${DUE}, ${NOW} AS now FROM rooms WHERE id = :room`;

const OF_ROOM = "WHERE room_id = :room";
const OF_AGENT = "FROM agents WHERE room_id = :room AND id = :agent";
const GET = `SELECT * ${OF_AGENT}`;

/** Columns that `toAgent` reads of an agent, and `toNewest` of a wait; `joined` tells whether an agent is new. */
const AGENT = [
  ...["id", "room_id", "name", "role", "meta", "status", "joined", "joined_at", "last_heartbeat", "secure"],
];
const WAIT = ["agent_id", "token", "waiting_on"];

/**
 * Registers an agent. One that is there takes on `name` and the other fields that are given; with `ifNew` it is
 * refused. Errors: `room_not_found`, `agent_exists`, `limit_reached`.
 */
export function registerAgent(
  database: Database,
  room: string,
  agent: Registration,
  { agents: max, tokens, privateKeys }: { agents: number; tokens: number; privateKeys: number },
): Operation<{ agent: Agent; created: boolean; revision: number; token?: string | null }> {
  const token = agent.secure ? newToken(room, "member", database) : undefined;
  return {
    acts: { as: agent.id ?? null },
    async run(context) {
      const [nonce, id, now] = [context.newId(), agent.id ?? context.newId(), await context.time()];
      const meta = agent.meta === undefined ? null : JSON.stringify(agent.meta);
      const profile = { name: agent.name, role: agent.role ?? null, meta, now: now.toISOString() };
      const own = { own_hash: context.viewer.token?.hash ?? null };
      const limits = { most_tokens: tokens, most_private: privateKeys };
      const hides = agent.private ?? false;
      const { sql: isShown, args: shownTo } = token
        ? { sql: isPrivate(":agent"), args: {} }
        : privateFor(context.viewer, ":agent") ?? { sql: undefined, args: {} };
      const beside = isShown === undefined ? "" : `, ${isShown} AS private`;
      const { outcome, reads: [rooms, _, ...further] } = await commit(database, context, {
        room,
        part: "agents",
        nonce,
        now,
        admission: {
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
            max,
            if_new: Number(agent.ifNew ?? false),
            ...token && { ...own, most_tokens: tokens },
            ...hides && { most_private: privateKeys },
          },
          requires: token && RELEASE_OF_ACCESS,
        },
        effects: [
          ...token ? secureSteps({ room, nonce, agent: id, now, ...own }, token) : [],
          ...hides ? hidingSteps({ room, nonce, agent: id, now: profile.now }) : [],
          {
            sql: REGISTER + beside,
            args: { room, nonce, agent: id, ...profile, ...shownTo },
            single: true,
            answer: {
              columns: beside ? [...AGENT, "private"] : AGENT,
              query: `SELECT *${beside} ${OF_AGENT}`,
            },
          },
          { sql: COME_BACK, args: { room, nonce, agent: id } },
        ],
        reads: [
          { sql: ROOM_CURRENT, args: { room } },
          { ...waitsNow(room, id), answer: { columns: WAIT } },
          ...(agent.ifNew ? [{ sql: GET, args: { room, agent: id } }] : []),
          ...(token
            ? [
              {
                sql: MADE,
                args: { room, hash: token.hash },
                single: true,
                answer: { columns: ["id"] },
              },
              { sql: WHY_NOT, args: { room, agent: id, ...own, ...limits }, single: true },
            ]
            : []),
        ],
      });
      if (token && !outcome.replayed && outcome.rows[2]?.length) {
        learnToken(token.hash, { id: token.id, room, role: "member", agent: id });
      }
      if (outcome.revision !== undefined) {
        if (hides) announceHidden(database, room, outcome.revision);
        return outcome;
      }
      const revision = revisionOf(rooms!);
      const [why] = token ? further.at(-1)! : [];
      if (agent.ifNew && further[0]!.length > 0) throw new Refusal("agent_exists", { agent: id }, revision);
      if (why?.taken) throw new Refusal("agent_exists", { agent: id, used: true }, revision);
      if (why?.full) throw new Refusal("limit_reached", { of: "tokens", max: tokens }, revision);
      if (hides && why?.crowded) {
        throw new Refusal("limit_reached", { of: "private keys", max: privateKeys }, revision);
      }
      throw new Refusal("limit_reached", { of: "agents", max }, revision);
    },
    answer({ now, revision, replayed, rows: [registered, waits, made] }) {
      const row = registered![0]!;
      const created = Number(row.joined) === revision;
      const answer = { agent: toAgent(row, toNewest(waits!), now), created, revision: revision! };
      return made?.length ? { ...answer, token: replayed ? null : token!.text } : answer;
    },
  };
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

/** Records a heartbeat. Only a new status advances the room's revision. Errors: `room_not_found`, `agent_not_found`. */
export function heartbeat(
  database: Database,
  room: string,
  agent: string,
  status: Status,
): Operation<{ heartbeat: string; revision: number }> {
  return {
    acts: { as: agent },
    async run(context) {
      const [nonce, now] = [context.newId(), await context.time()];
      const { outcome } = await commit(database, context, {
        room,
        part: "agents",
        nonce,
        now,
        admission: { where: [OTHER_STATUS], args: { agent, status } },
        effects: [
          { sql: SET_STATUS, args: { room, nonce, agent, status } },
          { ...heartbeatOf(room, agent, now, context)[0]!, answer: { columns: ["id"], query: GET } },
        ],
        reads: [{ sql: ROOM_CURRENT, args: { room }, answer: { columns: ["revision"] } }],
        granted: { sql: `EXISTS (${GET})`, args: { room, agent } },
      });
      const [beats, rooms] = outcome.rows;
      const revision = revisionOf(rooms!);
      if (beats!.length === 0) throw new Refusal("agent_not_found", { agent }, revision);
      return outcome;
    },
    answer: ({ now, rows: [, rooms] }) => ({ heartbeat: now.toISOString(), revision: revisionOf(rooms!) }),
  };
}

/** Lists all agents in order of joining. Errors: `room_not_found`. */
export async function listAgents(
  database: Database,
  viewer: Viewer,
  room: string,
): Promise<{ agents: Agent[]; revision: number }> {
  const [rooms, rows, waits] = await readConsistent(database, viewer, [
    { sql: ROOM_NOW, args: { room } },
    withPrivate(selectAgents(room), viewer),
    newestWaitsOf(room, null),
  ]);
  const [revision, newest, now] = [revisionOf(rooms!), toNewest(waits!), nowOf(rooms!)];
  return { agents: await mapYielding(rows!, (row) => toAgent(row, newest, now, stored)), revision };
}

/** Selects all agents, or the named ones, in order of joining, as rows for `toAgent`. */
export function selectAgents(room: string, agents?: string[]): Listing {
  const listing = { table: "agents" as const, columns: AGENT, order: ["joined"] };
  if (agents === undefined) return { ...listing, where: OF_ROOM, args: { room } };
  const where = `${OF_ROOM} AND id IN (SELECT value FROM json_each(:agents))`;
  return { ...listing, where, args: { room, agents: JSON.stringify(agents) } };
}

/** Adds to a listing of agents what the viewer may know of their scopes. */
function withPrivate(listing: Listing, viewer: Viewer): Listing {
  const shown = privateFor(viewer, "agents.id");
  if (shown === undefined) return listing;
  const columns = [...listing.columns, "private"];
  return { ...listing, columns, values: { private: shown.sql }, args: { ...listing.args, ...shown.args } };
}

/** Gets one agent. Errors: `room_not_found`, `agent_not_found`. */
export async function getAgent(
  database: Database,
  viewer: Viewer,
  room: string,
  agent: string,
): Promise<{ agent: Agent; revision: number }> {
  const shown = privateFor(viewer, "agents.id");
  const [rooms, rows, waits] = await readCurrent(database, viewer, [
    { sql: ROOM_NOW, args: { room } },
    {
      sql: `SELECT *${shown ? `, ${shown.sql} AS private` : ""} ${OF_AGENT}`,
      args: { room, agent, ...shown?.args },
    },
    newestWaitsOf(room, agent),
  ]);
  const revision = revisionOf(rooms!);
  if (rows!.length === 0) throw new Refusal("agent_not_found", { agent }, revision);
  if (isBusyFor(rows![0]!.meta)) await yieldToOthers();
  return { agent: toAgent(rows![0]!, toNewest(waits!), nowOf(rooms!)), revision };
}

function nowOf([room]: Row[]): Date {
  return new Date(Number(room!.now));
}

/** Makes an agent of its row and the room's newest waits in progress, as it is at the database's time `now`. */
export function toAgent(
  row: Row,
  newest: Newest,
  now: Date,
  read: (json: string) => Json = JSON.parse,
): Agent {
  const [id, last_heartbeat] = [row.id as string, row.last_heartbeat as string];
  return {
    id,
    room_id: shownRoom(row.room_id as string),
    name: row.name as string,
    role: row.role as string,
    meta: read(row.meta as string),
    ...present(id, row.status as Status, newest),
    joined_at: row.joined_at as string,
    last_heartbeat,
    alive: isAlive(id, last_heartbeat, newest, now),
    secure: Boolean(row.secure),
    ...(row.private ?? null) === null ? {} : { private: Boolean(row.private) },
  };
}
