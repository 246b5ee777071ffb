import { type Homes, isOfAgent } from "../access/private.ts";
import { type Condition, statementOf, type Value } from "../driver/statement.ts";
import { RELEASE_OF_TASKS } from "../release.ts";
import { type Admission, withinLimit } from "../write/admission.ts";
import { ENDS, endsAt } from "../write/due.ts";
import { VIEW_SCOPE } from "./entry.ts";
import { chainOf } from "./edit_sql.ts";
import { added, EXPIRY } from "./entry_sql.ts";
import { countLiving } from "../consistent_read/living.ts";
import { bytesOf, type StateLimits } from "./put.ts";
import { selectViewBytes } from "./stored.ts";
import type { Precondition } from "./preconditions.ts";

/** The n-th key that is written. */
interface StoredKey {
  n: number;
  /** The `room_id` of its entry, in SQL. */
  home: string;
}

const ENTRY = ({ n, home }: StoredKey) =>
  `state WHERE room_id = ${home} AND scope = :scope${n} AND key = :key${n}`;
const LIVE = (at: StoredKey) => `EXISTS (SELECT 1 FROM ${ENTRY(at)} AND NOT deleted)`;

/** Makes the conditions of a precondition (preconditions.ts), in SQL. */
const CONDITIONS = {
  absent: (at: StoredKey) => `NOT ${LIVE(at)}`,
  current: (at: StoredKey) =>
    `EXISTS (SELECT 1 FROM ${ENTRY(at)} AND NOT deleted AND version = :current${at.n})`,
  base: (at: StoredKey) => `COALESCE((SELECT version FROM ${ENTRY(at)}), 0) = :base${at.n}`,
  integer: (at: StoredKey) =>
    `NOT EXISTS (SELECT 1 FROM ${ENTRY(at)} AND NOT deleted AND NOT (
       json_type(value) = 'integer' AND CAST(value AS INTEGER) BETWEEN :min${at.n} AND :max${at.n}))`,
  present: LIVE,
  never: () => "FALSE",
  edited: (at: StoredKey) => `(${chainOf("written", at.n, at.home)}) IS NOT NULL`,
};

function storedKeysOf(preconditions: Precondition[], homes: Homes | undefined): StoredKey[] {
  return preconditions.map(({ scope }, n) => ({
    n,
    home: homes && isOfAgent(scope) ? homes.of(`:scope${n}`) : ":room",
  }));
}

/** True where the views that a write leaves have no more bytes than the limit, or than there were if that was more. */
const VIEWS_WITHIN = `(${
  selectViewBytes(" AND key NOT IN (SELECT value FROM json_each(:view_keys))")
}) + :view_bytes
       <= MAX(:max_view_bytes, (${selectViewBytes()}))`;

/**
 * Makes the SQL of preconditions and its arguments. The n-th key is `:scope<n>` and `:key<n>`. `written`: the condition
 * on the number of edits that change their entries, which is true only if all can be made.
 */
function bound(
  preconditions: Precondition[],
  homes?: Homes,
  limits?: StateLimits,
  written?: "> 0" | "= 0",
): { where: string[]; args: Record<string, Value> } {
  const storedKeys = storedKeysOf(preconditions, homes);
  const edited = storedKeys.filter(({ n }) => preconditions[n]!.conditions.edited);
  const args: Record<string, Value> = {
    ...edited.length > 0 && { max_bytes: limits!.valueBytes },
    ...homes?.args,
  };
  const where: string[] = [];
  for (const [n, { scope, key, conditions }] of preconditions.entries()) {
    Object.assign(args, { [`scope${n}`]: scope, [`key${n}`]: key });
    for (const [name, bounds] of Object.entries(conditions)) {
      if (!written || name !== "edited") {
        where.push(CONDITIONS[name as keyof typeof CONDITIONS](storedKeys[n]!));
      }
      for (const bound in bounds) args[bound + n] = bounds[bound]!;
    }
  }
  if (written) where.push(`${writtenBy(edited)} ${written}`);
  return { where, args };
}

/** Counts, in SQL, the writes of edited keys that change their entries. */
function writtenBy(edited: StoredKey[]): string {
  return `(${["0", ...edited.map(({ n, home }) => `(${chainOf("written", n, home)})`)].join(" + ")})`;
}

const sum = (terms: string[]) => `(${terms.join(" + ")})`;
const isOpen = ({ home }: StoredKey) => `(${home} = :room)`;

/** How writes divide between the room and private scopes, in SQL. */
interface Spread {
  /** True where one of their scopes is not private. */
  opens: string;
  /** True where one of their scopes is private. */
  hides: string;
  /** The number of new keys that count in the room. */
  added: string;
  /** True where each private scope stays within its limit. */
  where: string[];
}

function spreadOf(preconditions: Precondition[], storedKeys: StoredKey[]): Spread {
  const isNew = (at: StoredKey) => `(NOT ${LIVE(at)})`;
  const byScope = [...Map.groupBy(storedKeys, ({ n }) => preconditions[n]!.scope)];
  const own = byScope.flatMap(([scope, keys]) => isOfAgent(scope) ? [keys] : []);
  const others = byScope.flatMap(([scope, keys]) => isOfAgent(scope) ? [] : keys);
  const opens = [...others.length > 0 ? ["TRUE"] : [], ...own.map(([at]) => isOpen(at!))];
  return {
    opens: `(${opens.join(" OR ")})`,
    hides: `(${own.map(([at]) => `NOT ${isOpen(at!)}`).join(" OR ")})`,
    added: sum([
      ...others.map(isNew),
      ...own.map((keys) => `${isOpen(keys[0]!)} * ${sum(keys.map(isNew))}`),
    ]),
    where: own.map((keys) => {
      const [at, added] = [keys[0]!, sum(keys.map(isNew))];
      return `(${isOpen(at)} OR ${added} = 0 OR ${countLiving(at.home)} + ${added} <= :max_private)`;
    }),
  };
}

/** Makes the assignments of revisions where scopes may be private: a write of private ones leaves `state_revision`. */
const movedBy = ({ opens, hides }: Spread) => [
  `state_revision = IIF(${opens}, revision + 1, state_revision)`,
  `private_revision = IIF(${hides}, revision + 1, private_revision)`,
];

/**
 * Makes the admission of writes of these keys: their preconditions, the limits, and the guard of a gate. `mayKeep`:
 * each of the writes may leave its entry as it is, so at least one must not. `ttl`: the shortest of theirs, in seconds.
 */
export function admitPut(
  preconditions: Precondition[],
  limits: StateLimits,
  { unchanged, mayKeep, ttl, homes }: { unchanged: Condition; mayKeep: boolean; ttl?: number; homes?: Homes },
): Admission {
  const { where, args } = bound(preconditions, homes, limits, mayKeep ? "> 0" : undefined);
  if (ttl !== undefined) args.ttl = ttl;
  const storedKeys = storedKeysOf(preconditions, homes);
  const newOf = (written: Precondition[]) =>
    sum(written.map((write) => `(NOT ${LIVE(storedKeys[preconditions.indexOf(write)]!)})`));
  const spread = homes && spreadOf(preconditions, storedKeys);
  const views = preconditions.filter(({ scope }) => scope === VIEW_SCOPE);
  const newKeys = spread ? spread.added : newOf(preconditions);
  const within = [withinLimit("key_count", newKeys, ":max_keys"), ...spread?.where ?? []];
  if (spread) args.max_private = limits.privateKeys;
  if (views.length > 0) {
    within.push(withinLimit("view_count", newOf(views), ":max_views"), VIEWS_WITHIN);
    Object.assign(args, {
      max_views: limits.views,
      max_view_bytes: limits.viewBytes,
      view_bytes: views.reduce((sum, { expr }) => sum + bytesOf(expr!), 0),
      view_keys: JSON.stringify(views.map(({ key }) => key)),
    });
  }
  const counts = added(newKeys, views.length > 0 ? newOf(views) : undefined);
  const kinds = spread ? `${ENDS.entries} | ${spread.hides} * ${ENDS.private}` : undefined;
  return {
    moves: spread && movedBy(spread),
    counts: [...counts, ...ttl === undefined ? [] : endsAt("entries", EXPIRY, kinds)],
    requires: ttl === undefined ? undefined : RELEASE_OF_TASKS,
    where: [...within, ...where, unchanged.sql],
    args: { ...args, max_keys: limits.keys, ...unchanged.args },
  };
}

/**
 * Makes the condition that writes which `mayKeep` leave all their entries as they are: they succeed without a revision.
 */
export function keptBy(
  preconditions: Precondition[],
  limits: StateLimits,
  { unchanged, homes }: { unchanged: Condition; homes?: Homes },
): Condition {
  const { where, args } = bound(preconditions, homes, limits, "= 0");
  const conditions = ["id = :room", ...where, unchanged.sql];
  const sql = `EXISTS (SELECT 1 FROM rooms WHERE ${conditions.join(" AND ")})`;
  return statementOf(sql, { ...args, ...unchanged.args });
}

/** Makes the admission of a delete. */
export function admitDelete(
  precondition: Precondition,
  { unchanged, homes }: { unchanged: Condition; homes?: Homes },
): Admission {
  const { where, args } = bound([precondition], homes);
  const spread = homes && spreadOf([precondition], storedKeysOf([precondition], homes));
  return {
    moves: spread && movedBy(spread),
    counts: added(spread ? `-${spread.opens}` : "-1", precondition.scope === VIEW_SCOPE ? "-1" : undefined),
    where: [...where, unchanged.sql],
    args: { ...args, ...unchanged.args },
  };
}
