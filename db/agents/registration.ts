import type { Row, Statement } from "../driver/statement.ts";
import { Refusal } from "../refusal.ts";
import { currentWith } from "../rooms/room.ts";

/** The revision at which an agent registered, which is another once it has left and come back; null where it is not. */
export type Registration = number | null;

/** True where `:agent` is registered in `:room`. */
export const REGISTERED = "EXISTS (SELECT 1 FROM agents WHERE room_id = :room AND id = :agent)";

/** The registration of an agent of `:room`, named in SQL. */
export const joinedOf = (agent: string) =>
  `(SELECT joined FROM agents WHERE room_id = :room AND id = ${agent})`;
const JOINED = joinedOf(":agent");

/** Selects the row of a room, for `revisionOf` and `registrationOf`, and further columns. */
export const roomWithRegistration = (...further: string[]) => currentWith(`${JOINED} AS joined`, ...further);

/** Makes the precondition that the registration of `:agent` is still `:joined`; none without one. */
export function whileRegistered(joined: Registration | undefined): string[] {
  return typeof joined === "number" ? [`${JOINED} IS :joined`] : [];
}

/** Whether an agent was registered and has left since, even if it has come back. */
export function hasEnded(joined: Registration | undefined, now: Registration | undefined): boolean {
  return typeof joined === "number" && joined !== (now ?? null);
}

/** Reads the registration of a row with `joined`. */
export function registrationOf(row: Row | undefined): Registration {
  return (row?.joined ?? null) === null ? null : Number(row!.joined);
}

/** Part of the answer to whoever acts as an agent that is not registered: others do not see such an agent. */
export interface Noticed {
  notice?: "agent_not_registered";
}

/** Reads the notice of a row with `joined`. What an earlier release stored under a key has none. */
export function noticeOf(row: Row | undefined): Noticed {
  return row?.joined === null ? { notice: "agent_not_registered" } : {};
}

const REGISTRATIONS = `
  SELECT id, joined FROM agents WHERE room_id = :room AND id IN (SELECT value FROM json_each(:agents))`;

/** Selects the registrations of agents, as rows for `toRegistrations`. */
export function selectRegistrations(room: string, agents: Iterable<string>): Statement {
  return { sql: REGISTRATIONS, args: { room, agents: JSON.stringify([...agents]) } };
}

/** Makes a map of the registered agents to the revisions at which they registered. */
export function toRegistrations(rows: Row[]): Map<string, number> {
  return new Map(rows.map((row) => [row.id as string, Number(row.joined)]));
}

/** Makes the refusal of a request that has waited while its agent left. */
export function hasLeft(agent: string, revision: number): Refusal {
  return new Refusal("agent_not_found", { agent, left: true }, revision);
}
