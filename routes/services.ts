import type { Context } from "hono";
import { createGates, type Gates } from "../cel/rooms/gates.ts";
import { createReader, type Reader } from "../cel/rooms/reader.ts";
import { createWatch, type Watch } from "../cel/waits/watch.ts";
import type { Database } from "../db/database.ts";
import { EVERYBODY, type Viewer } from "../db/viewer.ts";
import { createAddress } from "./http/callers/address.ts";
import { type BrowserOptions, BROWSERS, createBrowserGuard } from "./http/callers/browsers.ts";
import { createFairUse, FAIR_USE, type FairUse, type FairUseOptions } from "./http/callers/fair_use.ts";
import { LIMITS } from "./http/limits.ts";
import { createOutbox, type Outbox } from "./http/outbox.ts";

/** What handlers work with. */
export interface Services {
  database: Database;
  reader: Reader;
  gates: Gates;
  watch: Watch;
  fairUse: FairUse;
  /** Lets in what is for this instance. Errors: `invalid_request`, `forbidden`. */
  admit(c: Context): void;
  /** With whose eyes a request reads. */
  viewerOf(c: Context): Viewer;
  /** Where the service is reached. */
  addressOf(c: Context): string;
  /** Whether that is the same for all. */
  hasOneAddress: boolean;
  /** What is being sent to the readers of streams. */
  outbox: Outbox;
  /** Where people find the source of this service. */
  source?: string;
}

export interface ServiceOptions {
  /** Milliseconds between two looks at the rooms that are waited for. */
  poll?: number;
  fairUse?: FairUseOptions;
  browsers?: BrowserOptions;
  /** Where the service is reached; left out: where each caller reaches it. */
  publicUrl?: string;
  viewerOf?: Services["viewerOf"];
  /** An https address to link to as the source; anything else is left out. */
  source?: string;
}

const FOLLOWERS = { max: LIMITS.streams, maxPerRoom: LIMITS.streamsOfRoom, length: LIMITS.eventLength };

export function createServices(
  database: Database,
  {
    poll = LIMITS.pollMs,
    fairUse = FAIR_USE,
    browsers = BROWSERS,
    viewerOf = () => EVERYBODY,
    publicUrl,
    source,
  }: ServiceOptions = {},
): Services {
  const reader = createReader(database);
  return {
    database,
    reader,
    source: source?.startsWith("https://") ? source : undefined,
    gates: createGates(database, reader),
    watch: createWatch(database, reader, { poll, max: LIMITS.waits, followers: FOLLOWERS }),
    fairUse: createFairUse(fairUse),
    viewerOf,
    admit: createBrowserGuard(browsers),
    addressOf: createAddress(fairUse.trustedProxies, publicUrl),
    hasOneAddress: publicUrl !== undefined,
    outbox: createOutbox(),
  };
}
