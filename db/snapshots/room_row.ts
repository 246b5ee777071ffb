import { AGENT } from "../agents/agent.ts";
import { newestTwoWaitsOf } from "../agents/waits.ts";
import { columnsOf, createCoalescedRead } from "../batching/coalesce.ts";
import { NOW } from "../clock.ts";
import type { Database } from "../database.ts";
import type { Row, Statement } from "../driver/statement.ts";
import { REVISION } from "../release.ts";
import type { Viewer } from "../viewer.ts";
import { DUE_NOW } from "../write/due.ts";
import { readCoalescedCurrent } from "../write/current.ts";
import { type ReadSet, stateArgs } from "../write/read_set.ts";
import { KEY_WEIGHT, LOOKED_UP, VALUE_CELLS } from "./values.ts";

/** What comes with the row of a room: few keys and at most one agent, which is all that most waits and gates read. */
export interface RoomRow {
  lookups: Lookup[];
  args: Partial<Record<Arg, string>>;
  weight: number;
}

/** Columns in SQL by name, and their arguments. */
export interface FurtherColumns extends Pick<Statement, "args"> {
  columns: Record<string, string>;
}

const ARGS = ["scope", "key", "keys", "agent"] as const;
type Arg = typeof ARGS[number];
/** Makes the SQL of an argument. */
type ArgOf = (name: Arg) => string;

/**
 * The maximum number of keys that come in the room's row: one statement needs no transaction, which takes a server a
 * tenth less time.
 */
export const FEW_LOOKED_UP = 8;
/** The weight of one agent that is looked up: few `meta` are half as long as allowed. */
export const AGENT_WEIGHT = 4;

const COLUMNS = {
  ...columnsOf("rooms", [
    ...["created_at", "guarded", "message_count", "unclaimed_count"],
    ...["state_revision", "private_revision", "views_revision", "agents_revision", "messages_revision"],
  ]),
  revision: REVISION,
  now: NOW,
  due: DUE_NOW,
};

/** Makes the columns of each kind of lookup, to be read by `rowsOfCells`. */
const LOOKUPS = {
  // Takes a server two thirds of the time to prepare that the same for several keys takes.
  key: (arg: ArgOf) => ({
    looked_up: `
      (SELECT json_array(json_array(${VALUE_CELLS})) FROM state
        WHERE room_id = rooms.id AND scope = ${arg("scope")} AND key = ${arg("key")}
          AND NOT deleted AND expr IS NULL)`,
  }),
  keys: (arg: ArgOf) => ({
    looked_up: `
      (SELECT json_group_array(json_array(state.scope, state.key, state.value))
      ${LOOKED_UP("rooms.id", arg("keys"))})`,
  }),
  agent: (arg: ArgOf) => ({
    agent: `
      (SELECT json_array(json_array(${AGENT})) FROM agents
        WHERE room_id = rooms.id AND id = ${arg("agent")})`,
    waits: newestTwoWaitsOf("rooms.id", arg("agent")),
  }),
};
type Lookup = keyof typeof LOOKUPS;

const columnsWith = (lookups: Lookup[], arg: ArgOf): Record<string, string> =>
  Object.assign({}, COLUMNS, ...lookups.map((lookup) => LOOKUPS[lookup](arg)));

const ofItem: ArgOf = (name) => `(asked.value ->> ${1 + ARGS.indexOf(name)})`;
const coalescedWith = (...lookups: Lookup[]) =>
  createCoalescedRead(
    columnsWith(lookups, ofItem),
    `FROM json_each(:asked) AS asked CROSS JOIN rooms ON rooms.id = asked.value ->> 0`,
  );

const COALESCED = Object.fromEntries(
  ([[], ["key"], ["keys"], ["agent"], ["key", "agent"], ["keys", "agent"]] as Lookup[][])
    .map((lookups) => [String(lookups), coalescedWith(...lookups)]),
);

/** Tells what of a read set comes with the room's row. */
export function roomRowOf({ state, agents }: ReadSet): RoomRow {
  const row: RoomRow = { lookups: [], args: {}, weight: 1 };
  const keys = state === "all" ? [] : state.keys;
  if (keys.length > 0 && keys.length <= FEW_LOOKED_UP) {
    row.lookups.push(keys.length === 1 ? "key" : "keys");
    Object.assign(row.args, keys.length === 1 ? keys[0]! : { keys: stateArgs({ scopes: [], keys }).keys });
    row.weight += KEY_WEIGHT * keys.length;
  }
  if (agents.length === 1 && agents !== "all") {
    row.lookups.push("agent");
    row.args.agent = agents[0]!;
    row.weight += AGENT_WEIGHT;
  }
  return row;
}

/** Selects the row of a room, with `further` columns, beside other statements of a read. */
export function selectRoomRow(
  room: string,
  { lookups, args, weight }: RoomRow,
  further: FurtherColumns,
): Statement {
  const columns = { ...columnsWith(lookups, (name) => `:${name}`), ...further.columns };
  const selected = Object.entries(columns).map(([name, sql]) => `${sql} AS ${name}`);
  return {
    sql: `SELECT ${selected.join(", ")} FROM rooms WHERE id = :room`,
    args: { room, ...args, ...further.args },
    single: true,
    weight,
  };
}

/**
 * Reads the row of a room by itself. Many such reads share a statement: a server prepares it once. What is due ends
 * first. Errors: `unauthenticated`, `DatabaseUnavailable`.
 */
export async function readRoomRow(
  database: Database,
  viewer: Viewer,
  room: string,
  { lookups, args, weight }: RoomRow,
): Promise<Row[]> {
  const item = [room, ...ARGS.map((name) => args[name] ?? "")];
  const row = await readCoalescedCurrent(database, viewer, COALESCED[String(lookups)]!, room, item, weight);
  return row ? [row] : [];
}
