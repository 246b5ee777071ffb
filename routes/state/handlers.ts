import type { Context, Hono } from "hono";
import type { ViewResult } from "../../cel/rooms/context.ts";
import { NOTHING } from "../../cel/rooms/definitions.ts";
import { lookAt } from "../../cel/rooms/look.ts";
import { type Reads, unionReads } from "../../cel/language/dependencies.ts";
import type { Operation, Outcome } from "../../db/write/context.ts";
import { computeOnce } from "../../db/write/idempotency.ts";
import { stored } from "../../db/json.ts";
import { Refusal } from "../../db/refusal.ts";
import { type Entry, SHARED_SCOPE, toListed, VIEW_SCOPE } from "../../db/state/entry.ts";
import { deleteEntry } from "../../db/state/delete.ts";
import { getEntry, listEntries, selectEntries, type StateFilter } from "../../db/state/read.ts";
import type { StateWrite } from "../../db/state/preconditions.ts";
import { putEntries } from "../../db/state/write.ts";
import { ownMember } from "../http/callers/own_agent.ts";
import { etag, refuseHeaders, unchanged, versionOfHeaders, withEtag } from "../http/etags.ts";
import type { Viewer } from "../../db/viewer.ts";
import { mapYielding, runAsTask } from "../../db/yield.ts";
import { answerOnce } from "../http/idempotency.ts";
import { existingId, existingKey } from "../http/ids.ts";
import { LIMITS } from "../http/limits.ts";
import { serve } from "../openapi/operation.ts";
import { queryNumber, queryOf, queryText } from "../http/input/queries.ts";
import { compileOf, readBody, reply, replyLarge, roomOf } from "../http/requests.ts";
import type { Services } from "../services.ts";
import { STATE } from "./operations.ts";
import { WRITES } from "./schemas.ts";
import { writableScope, writeOf } from "./writes.ts";

type Views = Map<string, ViewResult>;

export function mountState(app: Hono, services: Services): void {
  const { database, reader, gates, viewerOf } = services;
  /** Puts a write behind its gate, if it has one, and into the order of those whose values are computed. */
  function gated<Answer>(
    { if: expression, agent = null }: { if?: string; agent?: string | null },
    room: string,
    operation: Operation<Answer>,
  ): Operation<Answer> {
    const { acts, run, changes } = operation;
    if (expression === undefined && !changes?.some((change) => "edit" in change)) return operation;
    return {
      ...operation,
      async run(context) {
        const { viewer } = context;
        const condition = expression === undefined ? undefined : await compileOf(expression);
        const gate = condition && { viewer, condition, self: agent };
        const own = { viewer, acts, agent, gate, changes };
        return await gates.through(room, { ...own, run: (judged) => run(context, judged) });
      },
    };
  }

  /** Adds present values to the views among entries that were just written. */
  async function withViews(viewer: Viewer, room: string, entries: Entry[], outcome: Outcome) {
    const written = entries.filter(({ scope }) => scope === VIEW_SCOPE);
    if (written.length === 0) return entries;
    const views = new Map(
      await computeOnce(database, outcome, async () => [...await present(viewer, room, written)]),
    );
    return entries.map((entry) => resolved(entry, views));
  }

  async function present(viewer: Viewer, room: string, written: Entry[]): Promise<Views> {
    const keys = written.map(({ key }) => ({ scope: VIEW_SCOPE, key }));
    const reads: Reads[] = [];
    for (const { expr } of written) reads.push((await compileOf(expr!)).reads);
    const all = unionReads([{ ...NOTHING, state: { scopes: [], keys } }, ...reads]);
    const names = written.map(({ key }) => key);
    const { result } = await lookAt(
      reader,
      { viewer, room, reads: all, redefined: true },
      (seen) => seen.views(names),
    );
    return result;
  }

  async function listResolved(viewer: Viewer, room: string, filter: StateFilter) {
    const scopes = filter.key === undefined ? [VIEW_SCOPE] : [];
    const keys = filter.key === undefined ? [] : [{ scope: VIEW_SCOPE, key: filter.key }];
    const reads = { ...NOTHING, state: { scopes, keys } };
    const sight = { viewer, room, reads, extra: [selectEntries(viewer, room, filter)] };
    const { result: { entries, views }, data } = await lookAt(reader, sight, async (seen, { snapshot }) => {
      const entries = await mapYielding(snapshot.extra[0]!, (row) => toListed(row, stored));
      const living = entries.filter((entry) => entry.scope === VIEW_SCOPE && !("deleted" in entry));
      return { entries, views: await seen.views(living.map(({ key }) => key)) };
    });
    return {
      entries: await mapYielding(entries, (entry) => resolved(entry, views)),
      revision: data.snapshot.revisions.revision,
    };
  }

  async function sendList(c: Context, filter: StateFilter, readsViews: boolean) {
    const [viewer, room] = [viewerOf(c), roomOf(c)];
    const list = (filter: StateFilter) =>
      readsViews ? listResolved(viewer, room, filter) : listEntries(database, viewer, room, filter);
    const { entries, revision } = await list(filter);
    if ((filter.since ?? 0) <= revision) return await replyLarge(c, revision, entries);
    // The room has not reached `since`, as after its database was restored: send everything.
    const anew = await list({ ...filter, since: 0 });
    return await replyLarge(c, anew.revision, anew.entries, { "Convene-Reset": "true" });
  }

  serve(app, services, STATE, "/rooms/{room}/state", {
    async GET(c) {
      const [viewer, room] = [viewerOf(c), roomOf(c)];
      const filter = filterOf(c);
      const readsViews = queryText(c, "resolve") === "true" && (filter.scope ?? VIEW_SCOPE) === VIEW_SCOPE;
      if (filter.key === undefined) return await runAsTask(() => sendList(c, filter, readsViews));
      const { scope, key } = filter as { scope: string; key: string };
      if (!readsViews) {
        const { entry, revision } = await getEntry(database, viewer, room, scope, key);
        return unchanged(c, entry.version, revision) ?? reply(revision, entry, 200, etag(entry.version));
      }
      const { entries: [entry], revision } = await listResolved(viewer, room, { scope, key });
      if (entry === undefined) throw new Refusal("key_not_found", { scope, key }, revision);
      return reply(revision, entry);
    },

    async PUT(c) {
      const room = roomOf(c);
      const body = await readBody(c, WRITES, "put", undefined, ownMember(c, services));
      const version = versionOfHeaders(c, body.if_version);
      const write = await writeOf(version === undefined ? body : { ...body, if_version: version }, []);
      const put = { writes: [write], agent: body.agent ?? undefined, limits: LIMITS, batch: false };
      const operation = withEtag(version, gated(body, room, putEntries(database, room, put)));
      return await answerOnce(c, services, room, operation, async ({ entries, revision }, outcome) => {
        const [entry] = await withViews(viewerOf(c), room, entries, outcome);
        return reply(revision, entry, 200, etag(entry!.version));
      });
    },

    async DELETE(c) {
      const room = roomOf(c);
      const body = await readBody(c, WRITES, "delete", membersOf(c), ownMember(c, services));
      const { scope = SHARED_SCOPE, key, if_version, agent, ...gate } = body;
      writableScope(scope, ["scope"]);
      refuseHeaders(c, ["If-None-Match"], "A delete takes If-Match only.");
      const version = versionOfHeaders(c, if_version);
      const entry = { scope, key, ifVersion: version ?? if_version, agent: agent ?? undefined };
      const behindGate = gated({ ...gate, agent }, room, deleteEntry(database, room, entry));
      const operation = withEtag(version, behindGate);
      return await answerOnce(c, services, room, operation, ({ deleted, revision }) => {
        return reply(revision, { deleted });
      });
    },
  });

  serve(app, services, STATE, "/rooms/{room}/state/batch", {
    async PUT(c) {
      const room = roomOf(c);
      const body = await readBody(c, WRITES, "batch", undefined, ownMember(c, services));
      refuseHeaders(c, ["If-Match", "If-None-Match"], "A batch takes an if_version for each write instead.");
      const writes: StateWrite[] = [];
      for (const [index, write] of body.writes.entries()) {
        writes.push(await writeOf(write, ["writes", index], { index }));
      }
      const put = { writes, agent: body.agent ?? undefined, limits: LIMITS, batch: true };
      const operation = gated(body, room, putEntries(database, room, put));
      return await answerOnce(c, services, room, operation, async ({ entries, revision }, outcome) => {
        const state = await withViews(viewerOf(c), room, entries, outcome);
        return await replyLarge(c, revision, { ok: true, count: writes.length, state });
      });
    },
  });
}

/** Returns members of a body that the query holds. Errors: `invalid_request`. */
function membersOf(c: Context): Record<string, string | number> {
  const ifVersion = queryNumber(c, "if_version");
  return { ...queryOf(c), ...(ifVersion !== undefined && { if_version: ifVersion }) };
}

/** Reads a list's filter from the query. An impossible name becomes one that matches nothing. Errors: `invalid_request`. */
function filterOf(c: Context): StateFilter {
  const { scope, key, prefix } = queryOf(c);
  return {
    scope: scope === undefined ? key === undefined ? undefined : SHARED_SCOPE : existingId(scope),
    key: key === undefined ? undefined : existingKey(key),
    prefix,
    since: queryNumber(c, "since"),
  };
}

/** Adds its present value, or the reason why it has none, to a view's entry; returns others as they are. */
function resolved<T extends { scope: string; key: string }>(entry: T, views: Views) {
  const view = entry.scope === VIEW_SCOPE ? views.get(entry.key) : undefined;
  if (view === undefined) return entry;
  const value = "value" in view ? view.value : null;
  return { ...entry, value, resolved_value: value, ...("error" in view && { error: view.error }) };
}
