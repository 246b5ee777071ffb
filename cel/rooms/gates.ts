import { pause } from "../../db/pause.ts";
import type { Database } from "../../db/database.ts";
import { DatabaseUnavailable } from "../../db/driver/faults.ts";
import type { ReadSetAt } from "../../db/write/read_set.ts";
import type { Json } from "../../db/json.ts";
import { Refusal } from "../../db/refusal.ts";
import type { Viewer } from "../../db/viewer.ts";
import { isBusy, yieldToOthers } from "../../db/yield.ts";
import { createContext } from "./context.ts";
import { EvaluationFailed, type Expression } from "../language/expression.ts";
import type { Reader, RoomData } from "./reader.ts";

export interface Gate {
  viewer: Viewer;
  /** Must be truthy in the state to which the write applies. */
  condition: Expression;
  self: string | null;
}

export interface Gates {
  /**
   * Evaluates the gate and runs `write` with the gate's read set. Reads and evaluates again where that has changed
   * since, which `write` says by undefined. Errors: `precondition_failed`; `unavailable` when other writes won every
   * attempt, or delayed it too long; `DatabaseUnavailable` where the database takes no writes; what `write` throws.
   */
  through<T>(room: string, gate: Gate, write: (readSet: ReadSetAt) => Promise<T | undefined>): Promise<T>;
}

const MAX_ATTEMPTS = 30;
const MAX_WAIT_MS = 7_000;
const MAX_PAUSE_MS = 50;

/** Creates the gated writes. Serializes those of one room in this instance, which saves failed attempts. */
export function createGates(database: Database, reader: Reader): Gates {
  return {
    through(room, gate, write) {
      const giveUp = database.elapsed() + MAX_WAIT_MS;
      return database.serialize(room, async () => {
        for (let attempt = 1; attempt <= MAX_ATTEMPTS && database.elapsed() < giveUp; attempt++) {
          const data = await reader.load(gate.viewer, room, gate.condition.reads);
          if (isBusy()) await yieldToOthers();
          judge(data, gate);
          if (data.snapshot.overdue) throw new DatabaseUnavailable("What is due cannot be ended.", false);
          const written = await write(readSetAt(data));
          if (written !== undefined) return written;
          await pause(Math.random() * Math.min(attempt * 5, MAX_PAUSE_MS));
        }
        throw new Refusal("unavailable", { why: "gate_moved" });
      });
    },
  };
}

function judge(data: RoomData, { condition, self }: Gate): void {
  const { context } = createContext(data).from({ self });
  const refusal = (evaluated: Json, failure?: EvaluationFailed) => {
    const facts = { expression: condition.source, evaluated, failure };
    return new Refusal("precondition_failed", facts, data.snapshot.revisions.revision);
  };
  let judgement;
  try {
    judgement = condition.judge(context);
  } catch (error) {
    throw error instanceof EvaluationFailed ? refusal(null, error) : error;
  }
  if (!judgement.truthy) throw refusal(judgement.value);
}

/** What the gate depends on. An agent's scope that is absent counts as its agent, whose registration would create it. */
function readSetAt({ snapshot, reads: { state, agents, messages, heartbeats } }: RoomData): ReadSetAt {
  const revision = snapshot.revisions.revision;
  const beats = heartbeats
    ? {
      heartbeats: Object.fromEntries(snapshot.agents.map(({ id, last_heartbeat }) => [id, last_heartbeat])),
    }
    : {};
  if (state === "all" || agents === "all") {
    return { revision, state, agents: "all", messages, ...beats };
  }
  const scopes = [...state.scopes, ...state.keys.map(({ scope }) => scope)];
  const absent = scopes.filter((scope) => !scope.startsWith("_") && !snapshot.agentIds.includes(scope));
  return { revision, state, agents: [...agents, ...absent], messages, ...beats };
}
