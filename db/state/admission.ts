import { type Homes, isOfAgent } from "../access/private.ts";
import { argsOf, type Condition, type Value } from "../driver/statement.ts";
import { RELEASE_OF_TASKS } from "../release.ts";
import { type Admission, withinLimit } from "../write/admission.ts";
import { ENDS, endsAt } from "../write/due.ts";
import { VIEW_SCOPE } from "./entry.ts";
import { chainOf } from "./edit_sql.ts";
import { added, EXPIRY } from "./entry_sql.ts";
import { bytesOf, type StateLimits, VIEW_BYTES } from "./explain_refusal.ts";
import type { Precondition } from "./preconditions.ts";

/** The n-th key that is written, in SQL. */
interface Place {
  n: number;
  /** The id under which it is stored. */
  home: string;
}

const ENTRY = ({ n, home }: Place) =>
  `state WHERE room_id = ${home} AND scope = :scope${n} AND key = :key${n}`;
const LIVE = (at: Place) => `EXISTS (SELECT 1 FROM ${ENTRY(at)} AND NOT deleted)`;

/** The conditions of a precondition (preconditions.ts) in SQL. */
const CONDITIONS = {
  absent: (at: Place) => `NOT ${LIVE(at)}`,
  current: (at: Place) => `EXISTS (SELECT 1 FROM ${ENTRY(at)} AND NOT deleted AND version = :current${at.n})`,
  base: (at: Place) => `COALESCE((SELECT version FROM ${ENTRY(at)}), 0) = :base${at.n}`,
  integer: (at: Place) =>
    `NOT EXISTS (SELECT 1 FROM ${ENTRY(at)} AND NOT deleted AND NOT (
       json_type(value) = 'integer' AND CAST(value AS INTEGER) BETWEEN :min${at.n} AND :max${at.n}))`,
  present: LIVE,
  never: () => "FALSE",
  edited: (at: Place) => `(${chainOf("written", at.n, at.home)}) IS NOT NULL`,
};

function placesOf(preconditions: Precondition[], homes: Homes | undefined): Place[] {
  return preconditions.map(({ scope }, n) => ({
    n,
    home: homes && isOfAgent(scope) ? homes.of(`:scope${n}`) : ":room",
  }));
}

/** Bounds the bytes of the views that a write leaves by the limit, or by what there was if that was more. */
const VIEWS_WITHIN = `(${VIEW_BYTES} AND key NOT IN (SELECT value FROM json_each(:view_keys))) + :view_bytes
       <= MAX(:most_view_bytes, (${VIEW_BYTES}))`;

/**
 * Binds preconditions; the n-th key is `:scope<n>` and `:key<n>`. `written`: a condition of how many edits change their
 * entries, which holds only if all can be made.
 */
function bound(
  preconditions: Precondition[],
  homes?: Homes,
  limits?: StateLimits,
  written?: "> 0" | "= 0",
): { where: string[]; args: Record<string, Value> } {
  const places = placesOf(preconditions, homes);
  const edited = places.filter(({ n }) => preconditions[n]!.conditions.edited);
  const args: Record<string, Value> = {
    ...edited.length > 0 && { max_bytes: limits!.valueBytes },
    ...homes?.args,
  };
  const where: string[] = [];
  for (const [n, { scope, key, conditions }] of preconditions.entries()) {
    Object.assign(args, { [`scope${n}`]: scope, [`key${n}`]: key });
    for (const [name, bounds] of Object.entries(conditions)) {
      if (!written || name !== "edited") where.push(CONDITIONS[name as keyof typeof CONDITIONS](places[n]!));
      for (const bound in bounds) args[bound + n] = bounds[bound]!;
    }
  }
  if (written) where.push(`${writtenBy(edited)} ${written}`);
  return { where, args };
}

/** Counts, in SQL, the writes of edited keys that change their entries. */
function writtenBy(edited: Place[]): string {
  return `(${["0", ...edited.map(({ n, home }) => `(${chainOf("written", n, home)})`)].join(" + ")})`;
}

const sum = (terms: string[]) => `(${terms.join(" + ")})`;
const isOpen = ({ home }: Place) => `(${home} = :room)`;

/** What writes do where some of their scopes may be private, in SQL. */
interface Spread {
  /** True where some are not private; where some are. */
  opens: string;
  hides: string;
  /** The new keys among those that count in the room. */
  added: string;
  /** Keeps each private scope within its limit. */
  where: string[];
}

function spreadOf(preconditions: Precondition[], places: Place[]): Spread {
  const isNew = (at: Place) => `(NOT ${LIVE(at)})`;
  const byScope = [...Map.groupBy(places, ({ n }) => preconditions[n]!.scope)];
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
      const count = `(SELECT COUNT(*) FROM state WHERE room_id = ${at.home} AND NOT deleted)`;
      return `(${isOpen(at)} OR ${withinLimit(count, added, ":most_private")})`;
    }),
  };
}

/** What a write in a scope moves that may be private: `state_revision` stays where it is. */
const movedBy = ({ opens, hides }: Spread) => [
  `state_revision = IIF(${opens}, revision + 1, state_revision)`,
  `private_revision = IIF(${hides}, revision + 1, private_revision)`,
];

/**
 * Admits writes of these keys under their preconditions, the limits, and the read set of a gate. `mayKeep`: each of
 * them may leave its entry as it is; one that does not makes them a write. `ttl`: the least of theirs.
 */
export function admitPut(
  preconditions: Precondition[],
  limits: StateLimits,
  { unchanged, mayKeep, ttl, homes }: { unchanged: Condition; mayKeep: boolean; ttl?: number; homes?: Homes },
): Admission {
  const { where, args } = bound(preconditions, homes, limits, mayKeep ? "> 0" : undefined);
  if (ttl !== undefined) args.ttl = ttl;
  const places = placesOf(preconditions, homes);
  const newOf = (written: Precondition[]) =>
    sum(written.map((write) => `(NOT ${LIVE(places[preconditions.indexOf(write)]!)})`));
  const spread = homes && spreadOf(preconditions, places);
  const views = preconditions.filter(({ scope }) => scope === VIEW_SCOPE);
  const newKeys = spread ? spread.added : newOf(preconditions);
  const within = [withinLimit("key_count", newKeys, ":most_keys"), ...spread?.where ?? []];
  if (spread) args.most_private = limits.privateKeys;
  if (views.length > 0) {
    within.push(withinLimit("view_count", newOf(views), ":most_views"), VIEWS_WITHIN);
    Object.assign(args, {
      most_views: limits.views,
      most_view_bytes: limits.viewBytes,
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
    args: { ...args, most_keys: limits.keys, ...unchanged.args },
  };
}

/** True where writes that `mayKeep` leave all their entries as they are, and so succeed without being admitted. */
export function keptBy(
  preconditions: Precondition[],
  limits: StateLimits,
  { unchanged, homes }: { unchanged: Condition; homes?: Homes },
): Condition {
  const { where, args } = bound(preconditions, homes, limits, "= 0");
  const conditions = ["id = :room", ...where, unchanged.sql];
  const sql = `EXISTS (SELECT 1 FROM rooms WHERE ${conditions.join(" AND ")})`;
  return { sql, args: argsOf(sql, { ...args, ...unchanged.args }) };
}

/** Admits a delete. */
export function admitDelete(
  precondition: Precondition,
  { unchanged, homes }: { unchanged: Condition; homes?: Homes },
): Admission {
  const { where, args } = bound([precondition], homes);
  const spread = homes && spreadOf([precondition], placesOf([precondition], homes));
  return {
    moves: spread && movedBy(spread),
    counts: added(spread ? `-${spread.opens}` : "-1", precondition.scope === VIEW_SCOPE ? "-1" : undefined),
    where: [...where, unchanged.sql],
    args: { ...args, ...unchanged.args },
  };
}
