import { homesOf } from "../access/private.ts";
import type { Database } from "../database.ts";
import { Refusal } from "../refusal.ts";
import { REVISION } from "../release.ts";
import { revisionOf } from "../rooms/room.ts";
import { DUE } from "../write/due.ts";
import { ADMITTED, NEW_REVISION } from "../write/admission.ts";
import type { Judged, Operation, WriteContext } from "../write/context.ts";
import { holds } from "../write/read_set.ts";
import { commit, type Write } from "../write/write.ts";
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

/** Selects the room's row, and whether the guard of a gate holds. */
const roomWhile = (unchanged: string) =>
  `SELECT ${REVISION} AS revision, ${DUE}, ${unchanged} AS unmoved FROM rooms WHERE id = :room`;

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
  wanted: Delete,
): Operation<{ deleted: boolean; revision: number }> {
  const { scope, key, ifVersion, agent = null } = wanted;
  const mayBeAbsent = isVersion(ifVersion, 0);
  return {
    acts: { as: agent, scopes: [scope] },
    async run(context, judged) {
      const [nonce, now] = [judged?.nonce ?? context.newId(), await context.time()];
      const write = writeOf(room, wanted, { context, judged, nonce, now, mayBeAbsent });
      const { outcome, reads: [, rows] } = await commit(database, context, write);
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

function writeOf(
  room: string,
  { scope, key, ifVersion, agent }: Delete,
  { context, judged, nonce, now, mayBeAbsent }: {
    context: WriteContext;
    judged?: Judged;
    nonce: string;
    now: Date;
    mayBeAbsent: boolean;
  },
): Write {
  const unchanged = holds(judged?.guard);
  const homes = homesOf(context.viewer, [scope]);
  const home = homes?.of(":scope") ?? ":room";
  const entry = { ...homes?.args, room, scope, key };
  const absent = `NOT EXISTS (${
    GET_LIVE(home)
  }) AND EXISTS (SELECT 1 FROM rooms WHERE id = :room AND ${unchanged.sql})`;
  return {
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
        sql: roomWhile(unchanged.sql),
        args: { room, ...unchanged.args },
        answer: { columns: ["revision", "unmoved"] },
      },
      { sql: GET_LIVE(home), args: entry },
    ],
    heartbeatOf: agent,
    granted: mayBeAbsent ? { sql: absent, args: { ...entry, ...unchanged.args } } : undefined,
  };
}
