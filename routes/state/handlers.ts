import type { Context, Hono } from "hono";
import { Refusal } from "../../db/refusal.ts";
import { SHARED_SCOPE, VIEW_SCOPE } from "../../db/state/entry.ts";
import { deleteEntry } from "../../db/state/delete.ts";
import { getEntry, listEntries, type StateFilter } from "../../db/state/read.ts";
import type { StateWrite } from "../../db/state/put.ts";
import { putEntries } from "../../db/state/write.ts";
import { ownMember } from "../http/callers/own_agent.ts";
import { etag, refuseHeaders, unchanged, versionOfHeaders, withEtag } from "../http/etags.ts";
import { runAsTask } from "../../db/yield.ts";
import { answerOnce } from "../http/idempotency.ts";
import { existingId, existingKey } from "../http/ids.ts";
import { LIMITS } from "../http/limits.ts";
import { serve } from "../openapi/operation.ts";
import { queryNumber, queryOf } from "../http/input/queries.ts";
import { readBody, reply, replyAll, replyLarge, roomOf } from "../http/requests.ts";
import type { Services } from "../services.ts";
import { STATE } from "./operations.ts";
import { listResolved, withViews } from "./present_views.ts";
import { WRITES } from "./schemas.ts";
import { readableScope, writableScope } from "./scopes.ts";
import { gated, writeOf } from "./writes.ts";

export function mountState(app: Hono, services: Services): void {
  const { database, reader, gates, viewerOf } = services;

  /** Sends what a filter selects; from the start if the room has not reached its `since`. */
  async function sendList(c: Context, filter: StateFilter, readsViews: boolean) {
    const [viewer, room] = [viewerOf(c), roomOf(c)];
    const list = (filter: StateFilter) =>
      readsViews ? listResolved(reader, viewer, room, filter) : listEntries(database, viewer, room, filter);
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
      const readsViews = queryOf(c).resolve === "true" && (filter.scope ?? VIEW_SCOPE) === VIEW_SCOPE;
      if (filter.key === undefined) return await runAsTask(() => sendList(c, filter, readsViews));
      const { scope, key } = filter as { scope: string; key: string };
      if (!readsViews) {
        const { entry, revision } = await getEntry(database, viewer, room, scope, key);
        return unchanged(c, entry.version, revision) ?? reply(revision, entry, 200, etag(entry.version));
      }
      const { entries: [entry], revision } = await listResolved(reader, viewer, room, { scope, key });
      if (entry === undefined) throw new Refusal("key_not_found", { scope, key }, revision);
      return reply(revision, entry);
    },

    async PUT(c) {
      const room = roomOf(c);
      const body = await readBody(c, WRITES, "put", { filled: ownMember(c, services) });
      const version = versionOfHeaders(c, body.if_version);
      const write = await writeOf(version === undefined ? body : { ...body, if_version: version }, []);
      const put = { writes: [write], agent: body.agent, limits: LIMITS, batch: false };
      const operation = withEtag(version, gated(gates, body, room, putEntries(database, room, put)));
      return await answerOnce(c, services, room, operation, async ({ entries, revision }, outcome) => {
        const [entry] = await withViews(services, viewerOf(c), room, entries, outcome);
        return reply(revision, entry, 200, etag(entry!.version));
      });
    },

    async DELETE(c) {
      const room = roomOf(c);
      const members = { named: membersOf(c), filled: ownMember(c, services) };
      const body = await readBody(c, WRITES, "delete", members);
      const { scope = SHARED_SCOPE, key, if_version, agent, ...gate } = body;
      writableScope(scope, ["scope"]);
      refuseHeaders(c, ["If-None-Match"], "A delete takes If-Match only.");
      const version = versionOfHeaders(c, if_version);
      const entry = { scope, key, ifVersion: version ?? if_version, agent };
      const behindGate = gated(gates, { ...gate, agent }, room, deleteEntry(database, room, entry));
      const operation = withEtag(version, behindGate);
      return await answerOnce(c, services, room, operation, replyAll);
    },
  });

  serve(app, services, STATE, "/rooms/{room}/state/batch", {
    async PUT(c) {
      const room = roomOf(c);
      const body = await readBody(c, WRITES, "batch", { filled: ownMember(c, services) });
      refuseHeaders(c, ["If-Match", "If-None-Match"], "A batch takes an if_version for each write instead.");
      const writes: StateWrite[] = [];
      for (const [index, write] of body.writes.entries()) {
        writes.push(await writeOf(write, ["writes", index], { index }));
      }
      const put = { writes, agent: body.agent, limits: LIMITS, batch: true };
      const operation = gated(gates, body, room, putEntries(database, room, put));
      return await answerOnce(c, services, room, operation, async ({ entries, revision }, outcome) => {
        const state = await withViews(services, viewerOf(c), room, entries, outcome);
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
  if (scope !== undefined) readableScope(scope);
  return {
    scope: scope === undefined ? key === undefined ? undefined : SHARED_SCOPE : existingId(scope),
    key: key && existingKey(key),
    prefix,
    since: queryNumber(c, "since"),
  };
}
