import type { Context } from "hono";
import { createGates, type Gates } from "../cel/rooms/gates.ts";
import { createReader, type Reader } from "../cel/rooms/reader.ts";
import { createTaking, type Taking } from "../cel/waits/takes/takes.ts";
import type { OpenChannel } from "../cel/waits/looks/hints.ts";
import { createReserving, type Reserving } from "../cel/waits/queues/reservations.ts";
import { createWatch, type Watch } from "../cel/waits/watch.ts";
import { createBurial } from "../db/rooms/burial.ts";
import type { Database } from "../db/database.ts";
import type { Viewer } from "../db/viewer.ts";
import { createAddress } from "./http/callers/address.ts";
import { type BrowserOptions, BROWSERS, createBrowserGuard } from "./http/callers/browsers.ts";
import {
  createCredentials,
  type TakeCredentials,
  viewerOf as viewerOfRequest,
} from "./http/callers/credentials.ts";
import { createFairUse, FAIR_USE, type FairUse, type FairUseOptions } from "./http/callers/fair_use.ts";
import { createWrongCodes, type WrongCodes } from "./http/callers/wrong_codes.ts";
import { createFigures, type Figures } from "./http/figures.ts";
import { LIMITS } from "./http/limits.ts";
import { createOutbox, type Outbox } from "./http/outbox.ts";

/** The dependencies of handlers. */
export interface Services {
  database: Database;
  reader: Reader;
  gates: Gates;
  watch: Watch;
  taking: Taking;
  reserving: Reserving;
  fairUse: FairUse;
  wrongCodes: WrongCodes;
  figures: Figures;
  /** Refuses requests that are not meant for this instance. Errors: `invalid_request`, `forbidden`. */
  admit(c: Context): void;
  takeCredentials: TakeCredentials;
  /** Returns on whose behalf a request reads and writes. */
  viewerOf(c: Context): Viewer;
  /** Returns the service's URL, without a path. */
  addressOf(c: Context): string;
  /** Whether `addressOf` is the same for every caller. */
  hasOneAddress: boolean;
  outbox: Outbox;
  /** Answers all waits now, because this instance ends. */
  drain(): Promise<void>;
  /** Whether this instance ends. */
  isEnding(): boolean;
  /** Link to the service's source code. */
  source?: string;
  rules: Rules;
}

/** What the operator lets others do. */
export interface Rules {
  /** Whether there is an operator, by a token. */
  operator: boolean;
  /** Whether everybody may list rooms. */
  listRooms: boolean;
  /** Whether everybody may make open rooms. */
  openRooms: boolean;
}

export interface ServiceOptions {
  /** Milliseconds between two reads of the revisions of rooms with waits. */
  poll?: number;
  fairUse?: FairUseOptions;
  browsers?: BrowserOptions;
  /** Brings hints of other instances' writes. Default: none. */
  channel?: OpenChannel;
  /** The service's URL. Default: the one that each caller used. */
  publicUrl?: string;
  viewerOf?: Services["viewerOf"];
  /** Who sends it is the operator. Default: nobody. */
  operatorToken?: string;
  /** Default: all that is open to everybody. */
  rules?: Partial<Omit<Rules, "operator">>;
  /** An https URL; any other value is ignored. */
  source?: string;
}

const IN_FORCE = { bytes: LIMITS.globBytes, count: LIMITS.reservations };
const FOLLOWERS = { max: LIMITS.streams, maxPerRoom: LIMITS.streamsOfRoom, length: LIMITS.eventLength };

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
): Services {
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
    source: source?.startsWith("https://") ? source : undefined,
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
    hasOneAddress: publicUrl !== undefined,
    outbox: createOutbox(),
    drain() {
      ending = true;
      return watch.drain();
    },
    isEnding: () => ending,
  };
}
