import { homesOf } from "../access/private.ts";
import type { Database } from "../database.ts";
import { Refusal } from "../refusal.ts";
import { currentWith, revisionOf } from "../rooms/room.ts";
import { ADMITTED, NEW_REVISION } from "../write/admission.ts";
import type { Operation } from "../write/context.ts";
import { holds } from "../write/read_set.ts";
import { commit } from "../write/write.ts";
import { isBusyFor, yieldToOthers } from "../yield.ts";
import { admitDelete } from "./admission.ts";
import { toEntry } from "./entry.ts";
import { isVersion, preconditionOfDelete } from "./preconditions.ts";

const ENTRY = (home: string) => `room_id = ${home} AND scope = :scope AND key = :key`;

const DELETE = (home: string) => `
  UPDATE state SET
    value = 'null', expr = NULL, eyes = NULL, deleted = 1, expires_at = NULL, version = version + 1, updated_at = :now,
    updated_by = :agent, verified = 0, revision = ${NEW_REVISION}
   WHERE ${ENTRY(home)} AND ${ADMITTED}`;

const GET_LIVE = (home: string) => `SELECT * FROM state WHERE ${ENTRY(home)} AND NOT deleted`;

/** A key to delete. */
export interface Delete {
  scope: string;
  key: string;
  /** The version that the entry must have; 0 if the key must be absent. */
  ifVersion?: number;
  agent?: string;
}

/**
 * Deletes a key. `deleted` is false where it is absent.
 * Errors: `room_not_found`, `unauthenticated`, `forbidden`, `version_conflict`.
 */
export function deleteEntry(
  database: Database,
  room: string,
  { scope, key, ifVersion, agent }: Delete,
): Operation<{ deleted: boolean; revision: number }> {
  const mayBeAbsent = isVersion(ifVersion, 0);
  return {
    acts: { as: agent ?? null, scopes: [scope] },
    async run(context, judged) {
      const [nonce, now] = [judged?.nonce ?? context.newId(), await context.time()];
      const unchanged = holds(judged?.guard);
      const homes = homesOf(context.viewer, [scope]);
      const home = homes?.of(":scope") ?? ":room";
      const entry = { ...homes?.args, room, scope, key };
      const isUnchanged = `EXISTS (SELECT 1 FROM rooms WHERE id = :room AND ${unchanged.sql})`;
      const { outcome, reads: [, rows] } = await commit(database, context, {
        room,
        part: "state",
        also: homes && "private",
        nonce,
        now,
        admission: admitDelete(preconditionOfDelete({ scope, key, ifVersion }), { unchanged, homes }),
        effects: [{
          sql: DELETE(home),
          args: { ...entry, nonce, now: now.toISOString(), agent: agent ?? null },
        }],
        reads: [
          {
            sql: currentWith(`${unchanged.sql} AS unmoved`),
            args: { room, ...unchanged.args },
            answer: { columns: ["revision", "unmoved"] },
          },
          { sql: GET_LIVE(home), args: entry },
        ],
        heartbeatOf: agent,
        granted: mayBeAbsent
          ? {
            sql: `NOT EXISTS (${GET_LIVE(home)}) AND ${isUnchanged}`,
            args: { ...entry, ...unchanged.args },
          }
          : undefined,
      });
      if (outcome.revision !== undefined || outcome.replayed) return outcome;
      const revision = revisionOf(outcome.rows[0]!);
      if (isBusyFor(rows![0]?.value)) await yieldToOthers();
      const current = rows!.length === 0 ? null : toEntry(rows![0]!);
      if (!outcome.rows[0]![0]!.unmoved) return undefined;
      if (current === null && mayBeAbsent) return outcome;
      throw new Refusal("version_conflict", { scope, key, expected: ifVersion!, current }, revision);
    },
    changes: [{ scope, key, deleted: true }],
    answer({ revision, rows: [rooms] }) {
      return { deleted: revision !== undefined, revision: revision ?? revisionOf(rooms!) };
    },
  };
}
