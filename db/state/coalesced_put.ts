import { isVerified, type Judging, mayAllAct, OWN_COUNT, ownTokens, rowsOf } from "../access/actors.ts";
import { isOfAgent } from "../access/private.ts";
import { OPEN_TO_ALL, WRITABLE } from "../write/due.ts";
import { advance, withinLimit } from "../write/admission.ts";
import { type CoalescedWrite, createCoalescedWrites } from "../write/coalesced_write.ts";
import { added, INSERT_ENTRY, INSERT_VERIFIED, orReplace, UPSERT } from "./entry_sql.ts";

/** A put without preconditions. */
interface CoalescedPut extends CoalescedWrite {
  scope: string;
  key: string;
  /** JSON. */
  value: string;
  mostKeys: number;
}

/** Admits the writes that the rows of `from` count: `room`, its `writes`, and the `keys` that they add. */
const admitOf = (from: string, writes: string, conditions = OPEN_TO_ALL) => `
  ${advance("state", added("added.keys"), writes)} FROM (${from}) AS added
   WHERE rooms.id = added.room AND ${conditions} AND ${withinLimit("key_count", "added.keys", ":most_keys")}
  RETURNING id AS room, revision`;

// `->> 3` numbers the keys, so that a new key counts once, `->> 4` the rooms.
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

// What is written in a private scope is stored elsewhere (write.ts), so it goes alone.
const HIDDEN = `, MAX(EXISTS (
  SELECT 1 FROM secured
   WHERE secured.room_id = target.value ->> 0 AND secured.agent_id = target.value ->> 1
     AND secured.private_since IS NOT NULL)) AS hidden`;
const ADMIT_IN_SCOPES = {
  own: judgedBy.own(HIDDEN, " AND NOT added.hidden"),
  each: judgedBy.each(HIDDEN, " AND NOT added.hidden"),
};

function admissionOf(items: CoalescedPut[], judging: Exclude<Judging, "open">): string {
  const inScopes = items.some(({ by, scope }) => by.token && isOfAgent(scope));
  return inScopes ? ADMIT_IN_SCOPES[judging] : ADMIT[judging];
}

// A server prepares a statement anew each time, so a put alone has short ones: they take it a fifth less time.
const ADMIT_ALONE = admitOf(
  `SELECT :room AS room, NOT EXISTS (
     SELECT 1 FROM state WHERE room_id = :room AND scope = :scope AND key = :key AND NOT deleted) AS keys`,
  "1",
);

const RETURNED = "RETURNING room_id AS room, revision, version";

const putWith = (insert: string, value = "") => `
  ${insert}
  SELECT
    rooms.id, write.value ->> 2, write.value ->> 3, write.value ->> 4, NULL, rooms.versions_above + 1,
    rooms.revision - (write.value ->> 1), write.value ->> 5, write.value ->> 6, 0${value}
  FROM json_each(:writes) AS write
  CROSS JOIN rooms ON rooms.id = write.value ->> 0 AND rooms.admitted = :nonce
  WHERE TRUE
  ${orReplace("excluded.value")}
  ${RETURNED}`;
const PUTS = {
  open: putWith(INSERT_ENTRY),
  own: putWith(INSERT_VERIFIED, `, ${isVerified.own()}`),
  each: putWith(INSERT_VERIFIED, `, ${isVerified.each("write.value ->> 6")}`),
};

const PUT_ALONE = `${UPSERT("excluded.value")} ${RETURNED}`;

/** Coalesces any number of puts into three statements. */
export const COALESCED_PUTS = createCoalescedWrites<CoalescedPut>({
  admission(items, judging) {
    const numbers = new Map<string, number>();
    const rows = items.map(({ room, scope, key }) => {
      const id = JSON.stringify([room, scope, key]);
      if (!numbers.has(id)) numbers.set(id, numbers.size);
      return [room, scope, key, numbers.get(id)];
    });
    const { nonce, mostKeys } = items[0]!;
    const args = { targets: JSON.stringify(rows), nonce, most_keys: mostKeys };
    if (judging === "open") return { sql: ADMIT.open, args };
    const judged = judging === "own"
      ? { own: ownTokens(items.map(({ by }) => by)) }
      : judgedArgs(items, rows);
    return { sql: admissionOf(items, judging), args: { ...args, ...judged } };
  },
  effects: PUTS,
  inOneRoom([put, ...others]) {
    if (others.length > 0) return undefined;
    const { room, scope, key, value, now, agent = null, nonce, mostKeys } = put!;
    const args = { room, scope, key, nonce };
    return [
      { sql: ADMIT_ALONE, args: { ...args, most_keys: mostKeys } },
      { sql: PUT_ALONE, args: { ...args, value, expr: null, now, agent } },
    ];
  },
  asRow({ room, scope, key, value, now, agent = null }, later) {
    return [room, later, scope, key, value, now, agent];
  },
});

/** Numbers the rooms of targets, and makes the actors of each by its number. */
function judgedArgs(items: CoalescedPut[], targets: unknown[][]) {
  const rooms = Map.groupBy(items, ({ room }) => room);
  const numbers = new Map([...rooms.keys()].map((room, n) => [room, n]));
  const actors = [...rooms.values()].map((own) => rowsOf(own.map(({ by }) => by)));
  return {
    targets: JSON.stringify(targets.map((target, n) => [...target, numbers.get(items[n]!.room)])),
    actors: JSON.stringify(actors),
  };
}
