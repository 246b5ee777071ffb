import { type Reads, unionReads } from "../../cel/language/dependencies.ts";
import type { ViewResult } from "../../cel/rooms/context.ts";
import { tooLarge } from "../../cel/rooms/view_root.ts";
import { NOTHING } from "../../cel/rooms/definitions.ts";
import { lookAt } from "../../cel/rooms/look.ts";
import type { Reader } from "../../cel/rooms/reader.ts";
import { isRefusal } from "../../db/refusal.ts";
import { type Entry, VIEW_SCOPE } from "../../db/state/entry.ts";
import { selectEntries, type StateFilter, toEntries } from "../../db/state/read.ts";
import type { Viewer } from "../../db/viewer.ts";
import type { Outcome } from "../../db/write/context.ts";
import { computeOnce } from "../../db/write/idempotency.ts";
import { mapYielding } from "../../db/yield.ts";
import { compileOf } from "../http/requests.ts";
import type { Services } from "../services.ts";

type Views = Map<string, ViewResult>;

/**
 * Adds the present values to the views among entries that were just written; a repeated request gets the values of the
 * first one.
 */
export async function withViews(
  { database, reader }: Services,
  viewer: Viewer,
  room: string,
  entries: Entry[],
  outcome: Outcome,
) {
  const written = entries.filter(({ scope }) => scope === VIEW_SCOPE);
  if (written.length === 0) return entries;
  const views = new Map(
    await computeOnce(database, outcome, async () => [...await presentOf(reader, viewer, room, written)]),
  );
  return entries.map((entry) => resolved(entry, views));
}

async function presentOf(reader: Reader, viewer: Viewer, room: string, written: Entry[]): Promise<Views> {
  const keys = written.map(({ key }) => ({ scope: VIEW_SCOPE, key }));
  const reads: Reads[] = [];
  for (const { expr } of written) reads.push((await compileOf(expr!)).reads);
  const all = unionReads([{ ...NOTHING, state: { scopes: [], keys } }, ...reads]);
  const names = written.map(({ key }) => key);
  try {
    const sight = { viewer, room, reads: all, redefined: true };
    return (await lookAt(reader, sight, (seen) => seen.views(names))).result;
  } catch (error) {
    // They are written: the answer says so.
    if (!isRefusal(error, "too_large")) throw error;
    return new Map(names.map((name) => [name, tooLarge()]));
  }
}

/** Lists entries, the views among them with their present values, all of one revision. Errors: `room_not_found`. */
export async function listResolved(reader: Reader, viewer: Viewer, room: string, filter: StateFilter) {
  const scopes = filter.key === undefined ? [VIEW_SCOPE] : [];
  const keys = filter.key === undefined ? [] : [{ scope: VIEW_SCOPE, key: filter.key }];
  const reads = { ...NOTHING, state: { scopes, keys } };
  const sight = { viewer, room, reads, extra: selectEntries(viewer, room, filter), shows: true };
  const { result: { entries, views }, data } = await lookAt(reader, sight, async (seen, { snapshot }) => {
    const entries = await toEntries(snapshot.extra);
    const living = entries.filter((entry) => entry.scope === VIEW_SCOPE && !("deleted" in entry));
    return { entries, views: await seen.views(living.map(({ key }) => key)) };
  });
  return {
    entries: await mapYielding(entries, (entry) => resolved(entry, views)),
    revision: data.snapshot.revisions.revision,
  };
}

/** Adds its present value, or the reason why it has none, to a view's entry; returns others as they are. */
function resolved<T extends { scope: string; key: string }>(entry: T, views: Views) {
  const view = entry.scope === VIEW_SCOPE ? views.get(entry.key) : undefined;
  if (view === undefined) return entry;
  const value = "value" in view ? view.value : null;
  return { ...entry, value, resolved_value: value, ...("error" in view && { error: view.error }) };
}
