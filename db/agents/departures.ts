import type { Database } from "../database.ts";
import { DatabaseUnavailable } from "../driver/faults.ts";
import { argsOf, type Row, type Statement } from "../driver/statement.ts";
import { REGISTERED } from "./presence.ts";
import { Refusal } from "../refusal.ts";
import { RELEASE_OF_TASKS, REVISION } from "../release.ts";
import { revisionOf, ROOM_CURRENT } from "../rooms/room.ts";
import { SERVICE } from "../viewer.ts";
import { ADMITTED } from "../write/admission.ts";
import type { Operation } from "../write/context.ts";
import { depart, FORGET_DEPARTURES } from "../write/departed.ts";
import { BEGIN_DEPARTURE } from "../write/departures.ts";
import { DUE, dueOf } from "../write/due.ts";
import { makeAllEndings } from "../write/endings.ts";
import { commit } from "../write/write.ts";

// The agent and its waits go in one revision. What else it holds ends in the following ones, before anybody sees it.
const LEAVE = [
  `DELETE FROM agents WHERE room_id = :room AND id = :agent AND ${ADMITTED}`,
  `DELETE FROM waits WHERE room_id = :room AND agent_id = :agent AND ${ADMITTED}`,
  depart("agents", "SELECT :agent AS id"),
  ...FORGET_DEPARTURES,
  BEGIN_DEPARTURE,
];

/**
 * Lets an agent leave: it is not registered any more, and its waits, its claims that are not over and its reservations
 * end. `left` is false where it is not there. Errors: `room_not_found`.
 */
export function leaveRoom(
  database: Database,
  room: string,
  agent: string,
): Operation<{ left: boolean; revision: number }> {
  return {
    acts: { as: agent },
    async run(context) {
      const [nonce, now] = [context.newId(), await context.time()];
      const args = { room, nonce, agent, now: now.toISOString() };
      const { outcome, reads: [rooms] } = await commit(database, context, {
        room,
        part: "agents",
        nonce,
        now,
        admission: {
          counts: ["departures_revision = revision + 1", "agent_count = agent_count - 1"],
          where: [REGISTERED],
          args: { agent },
          requires: RELEASE_OF_TASKS,
        },
        effects: LEAVE.map((sql) => ({ sql, args: argsOf(sql, args) })),
        reads: [{ sql: ROOM_CURRENT, args: { room }, answer: { columns: ["revision"] } }],
        granted: { sql: `NOT ${REGISTERED}`, args: { room, agent } },
      });
      if (outcome.replayed) return outcome;
      const { revision } = outcome;
      if (revision === undefined) revisionOf(rooms!);
      else database.announce({ room, part: "departures", revision });
      const due = revision === undefined ? undefined : dueOf(room, rooms![0]);
      if (due) await makeAllEndings(database, SERVICE, due).catch(leftToOthers);
      return outcome;
    },
    answer: ({ revision, rows: [rooms] }) => ({
      left: revision !== undefined,
      revision: revision ?? revisionOf(rooms!),
    }),
  };
}

/** Whoever looks at the room next ends what an outage has left. */
function leftToOthers(error: unknown) {
  if (!(error instanceof DatabaseUnavailable)) throw error;
}

/** Since when an agent is registered: the revision, which differs once it has left and come back; null where it is not. */
export type Registration = number | null;

/** Selects the row of a room, for `revisionOf`, with the registration of an agent, and more. */
export const roomWithRegistration = (...more: string[]) => `
  SELECT ${
  [
    `${REVISION} AS revision`,
    DUE,
    "(SELECT joined FROM agents WHERE room_id = :room AND id = :agent) AS joined",
    ...more,
  ].join(", ")
} FROM rooms WHERE id = :room`;

const REGISTRATIONS = `
  SELECT id, joined FROM agents WHERE room_id = :room AND id IN (SELECT value FROM json_each(:agents))`;

/** Makes the precondition that the registration of `:agent` is still `:joined`; none without one. */
export function whileRegistered(joined: Registration | undefined): string[] {
  return typeof joined === "number"
    ? [`(SELECT joined FROM agents WHERE room_id = :room AND id = :agent) IS :joined`]
    : [];
}

/** True where an agent was registered and has left since, even if it has come back. */
export function hasEnded(joined: Registration | undefined, now: Registration | undefined): boolean {
  return typeof joined === "number" && joined !== (now ?? null);
}

/** Reads the registration of a row with `joined`. */
export function registrationOf(row: Row | undefined): Registration {
  return (row?.joined ?? null) === null ? null : Number(row!.joined);
}

/** Told to who acts as an agent that is not registered, which others therefore do not see. */
export interface Noticed {
  notice?: "agent_not_registered";
}

/** Reads the notice of a row with `joined`. What an earlier release stored under a key has none. */
export function noticeOf(row: Row | undefined): Noticed {
  return row?.joined === null ? { notice: "agent_not_registered" } : {};
}

/** Selects those of these agents that are registered. */
export function selectRegistrations(room: string, agents: Iterable<string>): Statement {
  return { sql: REGISTRATIONS, args: { room, agents: JSON.stringify([...agents]) } };
}

/** Reads the rows of `selectRegistrations`. */
export function toRegistrations(rows: Row[]): Map<string, number> {
  return new Map(rows.map((row) => [row.id as string, Number(row.joined)]));
}

/** Says that an agent left, for what it waited. */
export function hasLeft(agent: string, revision: number): Refusal {
  return new Refusal("agent_not_found", { agent, left: true }, revision);
}
