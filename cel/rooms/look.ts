import type { Query } from "../../db/consistent_read/read.ts";
import type { Viewer } from "../../db/viewer.ts";
import { isBusy, yieldToOthers } from "../../db/yield.ts";
import { type Reads, readsFrom, withFacts } from "../language/dependencies.ts";
import { MAX_MISSES } from "../language/lookups.ts";
import { createContext, type RoomContext } from "./context.ts";
import type { Further, Reader, RoomData } from "./reader.ts";

/** What an evaluation is made over. */
interface Sight extends Further {
  viewer: Viewer;
  room: string;
  /** What the source tells that it reads. */
  reads: Reads;
  self?: string | null;
  extra?: Query[];
}

/**
 * Loads a room and evaluates over it. Loads it again with the names that the evaluation requested, and evaluates again,
 * until nothing is missing. After the last load, an evaluation that lacks something fails with `budget_exceeded`.
 * Errors: those of `Reader.load` and of `evaluate`.
 */
export async function lookAt<T>(
  reader: Reader,
  { viewer, room, reads, self = null, extra, redefined, actors, shows }: Sight,
  evaluate: (context: RoomContext, data: RoomData) => T | Promise<T>,
): Promise<{ result: T; data: RoomData }> {
  let wanted = readsFrom(reads, self);
  for (let misses = 0;; misses++) {
    const further = { redefined: redefined && misses === 0, actors, shows };
    const data = await reader.load(viewer, room, wanted, extra, further);
    if (isBusy()) await yieldToOthers();
    const context = createContext(data);
    try {
      const result = await evaluate(context, data);
      if (context.missing.isEmpty || misses === MAX_MISSES) return { result, data };
    } catch (error) {
      if (context.missing.isEmpty || misses === MAX_MISSES) throw error;
    }
    wanted = withFacts(wanted, context.missing.reads());
  }
}
