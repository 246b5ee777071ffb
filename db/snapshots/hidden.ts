import { isOfAgent, isSeeing, type Owner, privateRoom, seesAny, selectOwners } from "../access/private.ts";
import type { Source } from "../consistent_read/changed.ts";
import type { Listing } from "../consistent_read/listing.ts";
import type { Query } from "../consistent_read/read.ts";
import type { Condition, Row, Statement } from "../driver/statement.ts";
import { livingIn } from "../consistent_read/living.ts";
import type { Viewer } from "../viewer.ts";
import { type ReadSet, scopesOfAgents, stateArgs } from "../write/read_set.ts";
import {
  type EntryValue,
  KEY_WEIGHT,
  MAX_LOOKED_UP,
  OF_KEYS,
  OF_SCOPES,
  selectValues,
  valuesOf,
} from "./values.ts";

/** What was read of private scopes, and whose eyes were used. */
export interface Hidden {
  /** Whether private scopes may have been read. */
  hidden: boolean;
  /** The agents of `eyes`, and those of whose private scopes the viewer may have read something. */
  owners: Map<string, Owner>;
  /** The values of keys in private scopes, of all owners. */
  hiddenEntries: EntryValue[];
}

/** Whether private scopes may be read: by their agents and admins, who show tokens, or with the eyes of others. */
export function mayReadHidden(viewer: Viewer, eyes: readonly string[]): boolean {
  return viewer.token !== undefined || eyes.length > 0;
}

/** Selects keys in private scopes of agents that `owners` selects. */
const KEYS = (owners: string) => `
  SELECT state.scope, state.key, state.value
    FROM json_each(:keys) AS wanted
    CROSS JOIN state
      ON state.room_id = ${privateRoom("(wanted.value ->> 0)")} AND state.scope = wanted.value ->> 0
     AND state.key = wanted.value ->> 1
   WHERE NOT deleted AND wanted.value ->> 0 IN (SELECT agent_id FROM (${owners}))`;

const SCOPES = "SELECT value FROM json_each(:scopes)";
const SCOPES_OF_KEYS = "SELECT value ->> 0 FROM json_each(:keys)";

/** Finds what changed in the private scopes of agents. */
const movedOf = (owners: string): Source[] => [{
  from: `state INDEXED BY state_changed WHERE room_id IN (
    SELECT ${privateRoom("owner.agent_id")} FROM (${owners}) AS owner)`,
  revision: "revision",
}];

/** What is read, and the agents whose eyes are used besides the viewer's. */
type Looks = Pick<ReadSet, "state"> & { eyes: readonly string[] };

const readsScopes = ({ state }: Looks) => state === "all" || scopesOfAgents(state).length > 0;

/** Makes the condition that `hiddenQueries` lack something: the viewer sees a private scope and was not known to. */
export function mayLackHidden(viewer: Viewer, looks: Looks): Condition | undefined {
  return looks.eyes.length === 0 && readsScopes(looks) ? seesAny(viewer) : undefined;
}

/** Makes the queries of private scopes, by names for `toHidden`; none where no private scope may be read. */
export function hiddenQueries(viewer: Viewer, room: string, looks: Looks): Record<string, Query> {
  const { state, eyes } = looks;
  if (eyes.length === 0 && !(isSeeing(viewer) && readsScopes(looks))) return {};
  const { sql: owners, args: seen } = selectOwners(viewer);
  const args = { ...seen, room, eyes: JSON.stringify(eyes) };
  const queries: Record<string, Query> = { owners: { sql: owners, args } };
  if (state === "all") return { ...queries, hidden: selectHidden(owners, "TRUE", args) };
  // So the scopes of others are not passed.
  const among = (scopes: string) => `SELECT agent_id FROM (${owners}) WHERE agent_id IN (${scopes})`;
  const whole = state.scopes.filter(isOfAgent);
  const keys = state.keys.filter(({ scope }) => isOfAgent(scope));
  if (whole.length > 0) {
    queries.hidden = selectHidden(among(SCOPES), OF_SCOPES, { ...args, scopes: JSON.stringify(whole) });
  }
  const named = { ...args, keys: stateArgs({ scopes: [], keys }).keys };
  if (keys.length > MAX_LOOKED_UP) {
    queries.hiddenKeys = selectHidden(among(SCOPES_OF_KEYS), OF_KEYS, named);
  } else if (keys.length > 0) {
    queries.hiddenKeys = { sql: KEYS(owners), args: named, weight: KEY_WEIGHT * keys.length };
  }
  return queries;
}

/** Selects values in the private scopes of the agents that `owners` selects. */
function selectHidden(owners: string, where: string, args: Statement["args"]): Listing {
  return {
    ...selectValues(`WHERE ${where}`, args),
    columns: ["room_id", "scope", "key", "value"],
    parts: livingIn(owners),
    homes: owners,
    order: ["room_id", "scope", "key"],
    moved: movedOf(owners),
  };
}

export async function toHidden(rows: Record<string, Row[]>): Promise<Omit<Hidden, "hidden">> {
  const owners = new Map<string, Owner>();
  if (rows.owners === undefined) return { owners, hiddenEntries: [] };
  for (const { agent_id, hides, seen } of rows.owners) {
    owners.set(agent_id as string, { hides: Boolean(hides), seen: Boolean(seen) });
  }
  return { owners, hiddenEntries: await valuesOf([...rows.hidden ?? [], ...rows.hiddenKeys ?? []]) };
}
