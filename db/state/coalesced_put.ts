import { actorOf, isVerified, mayAllAct, OWN_COUNT, ownArgs, rowsOf } from "../access/actors.ts";
import { isKnownPrivate, isOfAgent, isPrivate } from "../access/private.ts";
import { weightOfJson } from "../batching/coalesce.ts";
import { advance, withinLimit } from "../write/admission.ts";
import { type CoalescedWrite, createCoalescedWrites } from "../write/coalesced_write.ts";
import type { Outcome } from "../write/context.ts";
import { OPEN_TO_ALL, WRITABLE } from "../write/due.ts";
import { added, INSERT_ENTRY, INSERT_VERIFIED, orReplace } from "./entry_sql.ts";
import { idOf, type StateWrite } from "./put.ts";
import type { Attempt } from "./write_attempt.ts";

/** A put of a value without preconditions. */
interface CoalescedPut extends CoalescedWrite {
  scope: string;
  key: string;
  /** JSON. */
  value: string;
  maxKeys: number;
}

/** Admits the writes that `from` counts in rows of a `room`, its `writes`, and the `keys` that they add. */
const admitOf = (from: string, writes: string, conditions = OPEN_TO_ALL) => `
  ${advance("state", added("added.keys"), writes)} FROM (${from}) AS added
   WHERE rooms.id = added.room AND ${conditions} AND ${withinLimit("key_count", "added.keys", ":max_keys")}
  RETURNING id AS room, revision`;

// A target has the room, the scope, the key, the number of the key, so that a new key counts once, and that of the
// room.
const countedWith = (column = "") => `
   SELECT
     target.value ->> 0 AS room,
     COUNT(*) AS writes,
     COUNT(DISTINCT CASE WHEN entry.key IS NULL THEN target.value ->> 3 END) AS keys${column}
   FROM json_each(:targets) AS target
   LEFT JOIN state AS entry
     ON entry.room_id = target.value ->> 0 AND entry.scope = target.value ->> 1 AND entry.key = target.value ->> 2
    AND NOT entry.deleted
   GROUP BY 1`;
const judgedBy = {
  own: (column = "", condition = "") =>
    admitOf(countedWith(column), "added.writes", `${WRITABLE} AND ${OWN_COUNT}${condition}`),
  each: (column = "", condition = "") =>
    admitOf(
      countedWith(`, MIN(target.value ->> 4) AS n${column}`),
      "added.writes",
      `${WRITABLE} AND ${mayAllAct(":actors ->> added.n")}${condition}`,
    ),
};
const ADMIT = {
  open: admitOf(countedWith(), "added.writes"),
  own: judgedBy.own(),
  each: judgedBy.each(),
};

// A write of a private scope goes alone, since its entry has another `room_id`.
const HIDDEN = `, MAX(${isPrivate("target.value ->> 1", "target.value ->> 0")}) AS hidden`;
const ADMIT_IN_SCOPES = {
  own: judgedBy.own(HIDDEN, " AND NOT added.hidden"),
  each: judgedBy.each(HIDDEN, " AND NOT added.hidden"),
};

/** Whether any write with a token is to an agent's scope, which may be private. */
function nameScopesOfAgents(items: CoalescedPut[]): boolean {
  return items.some(({ by, scope }) => by.token && isOfAgent(scope));
}

// The statements of one room are shorter: a server prepares them anew each time, and they take it half the time.
const NEW_KEYS = `(:different - (
  SELECT COUNT(*) FROM json_each(:targets) AS target
   CROSS JOIN state AS entry
      ON entry.room_id = :room AND entry.scope = target.value ->> 0 AND entry.key = target.value ->> 1
     AND NOT entry.deleted))`;
const admitInOneRoom = (conditions: string) => `
  ${advance("state", added(NEW_KEYS), ":added")}
   WHERE id = :room AND ${conditions}
     AND (key_count + :different <= :max_keys OR ${withinLimit("key_count", NEW_KEYS, ":max_keys")})
  RETURNING id AS room, revision`;
const ADMIT_ONE_ROOM = {
  open: admitInOneRoom(OPEN_TO_ALL),
  own: admitInOneRoom(`${WRITABLE} AND ${OWN_COUNT}`),
};

const RETURNED = "RETURNING room_id AS room, revision, version";

const ROWS = "json_each(:writes) AS write";
const putWith = (from: string, insert: string, value = "") => `
  ${insert}
  SELECT
    rooms.id, write.value ->> 0, write.value ->> 1, write.value ->> 2, NULL, rooms.versions_above + 1,
    rooms.revision - (write.value ->> 3), write.value ->> 4, write.value ->> 5, 0${value}
  ${from}
  ${orReplace("excluded.value")}
  ${RETURNED}`;
const OF_EACH_ROOM = `FROM ${ROWS} CROSS JOIN rooms ON rooms.id = write.value ->> 6
  WHERE rooms.admitted = :nonce`;
const OF_ONE_ROOM = `FROM rooms CROSS JOIN ${ROWS}
  WHERE rooms.id = :room AND rooms.admitted = :nonce`;
const PUTS = {
  open: putWith(OF_EACH_ROOM, INSERT_ENTRY),
  own: putWith(OF_EACH_ROOM, INSERT_VERIFIED, `, ${isVerified.own()}`),
  each: putWith(OF_EACH_ROOM, INSERT_VERIFIED, `, ${isVerified.each("write.value ->> 5")}`),
};
const PUTS_OF_ONE_ROOM = {
  open: putWith(OF_ONE_ROOM, INSERT_ENTRY),
  own: putWith(OF_ONE_ROOM, INSERT_VERIFIED, `, ${isVerified.own()}`),
};

const cellsOf = (
  { scope, key, value, now, agent }: CoalescedPut,
  later: number,
) => [scope, key, value, later, now, agent ?? null];

/** Coalesces any number of puts into three statements. */
const COALESCED_PUTS = createCoalescedWrites<CoalescedPut>({
  admission(items, judging) {
    const numbers = new Map<string, number>();
    const rows = items.map(({ room, scope, key }) => {
      const id = JSON.stringify([room, scope, key]);
      if (!numbers.has(id)) numbers.set(id, numbers.size);
      return [room, scope, key, numbers.get(id)];
    });
    const { nonce, maxKeys } = items[0]!;
    const args = { targets: JSON.stringify(rows), nonce, max_keys: maxKeys };
    if (judging === "open") return { sql: ADMIT.open, args };
    const judged = judging === "own" ? ownArgs(items, judging) : judgedArgs(items, rows);
    const admit = nameScopesOfAgents(items) ? ADMIT_IN_SCOPES : ADMIT;
    return { sql: admit[judging], args: { ...args, ...judged } };
  },
  effects: PUTS,
  inOneRoom(items, later, judging) {
    if (judging === "own" && nameScopesOfAgents(items)) return undefined;
    const [{ room, nonce, maxKeys }] = items as [CoalescedPut];
    const keys = new Set(items.map(idOf));
    const targets = `[${[...keys].join(",")}]`;
    const counts = { added: items.length, different: keys.size, max_keys: maxKeys };
    const args = { room, nonce, targets, ...counts, ...ownArgs(items, judging) };
    const writes = JSON.stringify(items.map((item) => cellsOf(item, later.get(item)!)));
    return [
      { sql: ADMIT_ONE_ROOM[judging], args },
      { sql: PUTS_OF_ONE_ROOM[judging], args: { room, nonce, writes } },
    ];
  },
  asRow: (put, later) => [...cellsOf(put, later), put.room],
});

/**
 * Makes the arguments of `each`: targets with the numbers of their rooms, and the actors of each room by its number.
 */
function judgedArgs(items: CoalescedPut[], targets: unknown[][]) {
  const rooms = Map.groupBy(items, ({ room }) => room);
  const numbers = new Map([...rooms.keys()].map((room, n) => [room, n]));
  const actors = [...rooms.values()].map((own) => rowsOf(own.map(({ by }) => by)));
  return {
    targets: JSON.stringify(targets.map((target, n) => [...target, numbers.get(items[n]!.room)])),
    actors: JSON.stringify(actors),
  };
}

/**
 * Puts a single value without preconditions, coalesced with others: a file takes 1.5 times as many, a server 4 times.
 * Returns undefined for any other put, and where this one must go alone.
 */
export async function putCoalesced(
  { database, context, room, put, judged }: Attempt,
): Promise<Outcome | undefined> {
  const [{ scope, key, value, delta, expr, edit, ttl, ifVersion }] = put.writes as [StateWrite];
  if (
    put.writes.length > 1 || judged || context.idempotencyKey ||
    [delta, expr, edit, ttl, ifVersion].some((condition) => condition !== undefined)
  ) {
    return;
  }
  const by = actorOf(context.viewer, context.acts, room);
  if (by === undefined) return undefined;
  // Whoever may not write the scope takes the same way as in any other scope: its time must not tell that it is
  // private.
  const sees = by.own || by.token?.facts?.role === "admin";
  if (sees && isKnownPrivate(room, scope)) return undefined;
  const [nonce, now] = [context.newId(), await context.time()];
  const json = JSON.stringify(value);
  const written = { room, scope, key, value: json, agent: put.agent, now: now.toISOString(), nonce, by };
  const item = { ...written, maxKeys: put.limits.keys };
  const result = await database.commitCoalesced(context.viewer, COALESCED_PUTS, item, weightOfJson(json));
  if (!result) return undefined;
  const { revision, version } = result;
  database.announce({ room, part: "state", revision });
  return { now, revision, rows: [[{ version, verified: by.verified }]] };
}
