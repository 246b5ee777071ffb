import { createGates, type Gates } from "../cel/gate.ts";
import { createReader, type Reader } from "../cel/reader.ts";
import { createWatch, type Watch } from "../cel/watch.ts";
import type { Database } from "../db/database.ts";
import { LIMITS } from "./limits.ts";

/** What handlers work with. */
export interface Services {
  database: Database;
  reader: Reader;
  gates: Gates;
  watch: Watch;
}

export interface ServiceOptions {
  /** Milliseconds between two looks at the rooms that are waited for. */
  poll?: number;
}

const FOLLOWERS = { most: LIMITS.streams, mostOfRoom: LIMITS.streamsOfRoom, length: LIMITS.eventLength };

export function createServices(database: Database, { poll = LIMITS.pollMs }: ServiceOptions = {}): Services {
  const reader = createReader(database);
  return {
    database,
    reader,
    gates: createGates(database, reader),
    watch: createWatch(database, reader, { poll, most: LIMITS.waits, followers: FOLLOWERS }),
  };
}
