import { NOW } from "./clock.ts";

/** Selects a row where a deleted room has rows left (db/burial.ts) at which no instance works. */
export const UNEMPTIED = `SELECT 1 FROM graves WHERE NOT emptied AND held_until <= ${NOW} LIMIT 1`;
