import { type Bus, createBus } from "./bus.ts";
import { type Clock, createServerClock, MACHINE_CLOCKS, type MachineClocks, NOW } from "./clock.ts";
import type { Connection } from "./driver/connection.ts";
import type { Row } from "./driver/statement.ts";
import { createMutex, type Mutex } from "./serialize.ts";
import { SERVICE } from "./viewer.ts";
import { createStore, type Store } from "./store.ts";

/** The database as the service uses it: a store, a source of times and ids, a bus of changes, mutexes by room. */
export interface Database extends Store, Clock, Bus, Mutex {}

export interface DatabaseOptions {
  connect(): Promise<Connection>;
  clocks?: MachineClocks;
  newId?: () => string;
  randomBytes?: () => Uint8Array;
}

/** True of the grave of a deleted room that has rows left (db/rooms/burial.ts), which no instance removes now. */
export const IS_UNATTENDED = `NOT emptied AND held_until <= ${NOW}`;
const UNEMPTIED = `SELECT 1 FROM graves WHERE ${IS_UNATTENDED} LIMIT 1`;

export function createDatabase(
  {
    connect,
    clocks = MACHINE_CLOCKS,
    newId = () => crypto.randomUUID(),
    randomBytes = () => crypto.getRandomValues(new Uint8Array(32)),
  }: DatabaseOptions,
): Database {
  const clock = createServerClock(clocks);
  const bus = createBus();
  const hear = (rows: Row[]) => rows.length > 0 && bus.announceGraves();
  const store = createStore(connect, clock, clocks.elapsed, {
    statement: { sql: UNEMPTIED, args: {} },
    hear,
  });
  return {
    ...store,
    ...bus,
    ...createMutex(),
    async time() {
      if (!clock.isKnown()) await store.read(SERVICE, []);
      return clock.now();
    },
    elapsed: clocks.elapsed,
    newId,
    randomBytes,
  };
}
