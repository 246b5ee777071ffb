import { createGates } from "../cel/rooms/gates.ts";
import { createReader } from "../cel/rooms/reader.ts";
import { createTaking } from "../cel/waits/takes/takes.ts";
import type { OpenChannel } from "../cel/waits/looks/hints.ts";
import { createReserving } from "../cel/waits/queues/reservations.ts";
import { createWatch } from "../cel/waits/watch.ts";
import { createBurial } from "../db/rooms/burial.ts";
import type { Database } from "../db/database.ts";
import { createAddress } from "./http/callers/address.ts";
import { type BrowserOptions, BROWSERS, createBrowserGuard } from "./http/callers/browsers.ts";
import { createCredentials, viewerOf as viewerOfRequest } from "./http/callers/credentials.ts";
import { createFairUse, FAIR_USE, type FairUseOptions } from "./http/callers/fair_use.ts";
import { createWrongCodes } from "./http/callers/wrong_codes.ts";
import { createFigures } from "./http/figures.ts";
import { LIMITS } from "./http/limits.ts";
import { createOutbox } from "./http/outbox.ts";

export interface ServiceOptions {
  /** Milliseconds between two reads of the revisions of rooms with waits. */
  poll?: number;
  fairUse?: FairUseOptions;
  browsers?: BrowserOptions;
  /** Brings hints of other instances' writes. Default: none. */
  channel?: OpenChannel;
  /** The service's URL. Default: the one that each caller used. */
  publicUrl?: string;
  viewerOf?: typeof viewerOfRequest;
  /** Who sends it is the operator. Default: nobody. */
  operatorToken?: string;
  /** What everybody may do, and not the operator alone. Default: all of it. */
  rules?: { listRooms?: boolean; openRooms?: boolean };
  /** An https URL. */
  source?: string;
}

const IN_FORCE = { bytes: LIMITS.globBytes, count: LIMITS.reservations };
const FOLLOWERS = { max: LIMITS.streams, maxPerRoom: LIMITS.streamsOfRoom, length: LIMITS.eventLength };

/** The dependencies of handlers. */
export type Services = ReturnType<typeof createServices>;

export function createServices(
  database: Database,
  {
    poll = LIMITS.pollMs,
    fairUse = FAIR_USE,
    browsers = BROWSERS,
    channel,
    viewerOf = viewerOfRequest,
    publicUrl,
    source,
    operatorToken,
    rules,
  }: ServiceOptions = {},
) {
  const reader = createReader(database);
  const figures = createFigures();
  const burial = createBurial(database);
  database.listenToDeletions(() => void burial.begin());
  database.listenToGraves(() => void burial.begin());
  const watch = createWatch(database, reader, { poll, max: LIMITS.waits, followers: FOLLOWERS, channel });
  let ending = false;
  return {
    database,
    reader,
    source,
    gates: createGates(database, reader),
    watch,
    taking: createTaking(database, reader, watch),
    reserving: createReserving(database, watch, IN_FORCE),
    fairUse: createFairUse(fairUse, undefined, figures.limited),
    wrongCodes: createWrongCodes(fairUse.trustedProxies, database.elapsed, figures.limited),
    figures,
    takeCredentials: createCredentials(database, operatorToken),
    viewerOf,
    rules: { listRooms: true, openRooms: true, ...rules, operator: operatorToken !== undefined },
    admit: createBrowserGuard(browsers),
    addressOf: createAddress(fairUse.trustedProxies, publicUrl),
    /** Whether `addressOf` is the same for every caller. */
    hasOneAddress: publicUrl !== undefined,
    outbox: createOutbox(),
    /** Answers all waits now, because this instance ends. */
    drain() {
      ending = true;
      return watch.drain();
    },
    isEnding: () => ending,
  };
}
