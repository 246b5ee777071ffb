import type { Context, Next } from "hono";
import { createBuckets, createHolds } from "./buckets.ts";
import { callerOf } from "./caller.ts";
import { countedRoom, namedRoom, roomIn } from "./credentials.ts";
import { RequestError } from "../errors.ts";
import type { Limited } from "../figures.ts";
import { LIMITS } from "../limits.ts";
import { isLoopback } from "./networks.ts";

/** Limits; 0 is none. */
export interface FairUseOptions {
  /** Requests a second of each caller. Callers on this machine have limits only if it is set above 0. */
  callerPerSecond?: number;
  roomPerSecond: number;
  waitsOfCaller: number;
  waitsOfRoom: number;
  streamsOfCaller: number;
  /** The number of proxies before the service that append to X-Forwarded-For. */
  trustedProxies: number;
}

export type FairUse = ReturnType<typeof createFairUse>;

export const FAIR_USE: FairUseOptions = {
  roomPerSecond: LIMITS.roomPerSecond,
  waitsOfCaller: LIMITS.waitsOfCaller,
  waitsOfRoom: LIMITS.waitsOfRoom,
  streamsOfCaller: LIMITS.streamsOfCaller,
  trustedProxies: 0,
};

/** Health checks and files that browsers fetch once, which must not fail when the API is busy. */
const UNCOUNTED = /^\/(healthz$|assets\/)/;

/**
 * Limits callers and rooms in bounded memory. Each instance counts for itself. `now` is in milliseconds; `limited` hears
 * of each refusal.
 */
export function createFairUse(
  options: FairUseOptions,
  now: () => number = () => performance.now(),
  limited: (by: Limited) => void = () => {},
) {
  const { callerPerSecond = LIMITS.callerPerSecond, roomPerSecond, trustedProxies } = options;
  const rateOf = (perSecond: number) => {
    // At least 1, else a bucket would never admit a request.
    const burst = Math.max(1, Math.floor(perSecond * LIMITS.burstSeconds));
    const max = LIMITS.callersRemembered;
    return { perSecond, burst, buckets: createBuckets({ perSecond, burst, max }, now) };
  };
  const rates = { caller: rateOf(callerPerSecond), room: rateOf(roomPerSecond) };
  const holds = createHolds();

  /** Returns the caller; undefined if it has no limits, null if it is unknown. */
  function callerWithLimits(c: Context): string | null | undefined {
    const caller = callerOf(c, trustedProxies) ?? null;
    const spared = caller !== null && isLoopback(caller) && !options.callerPerSecond;
    return spared ? undefined : caller;
  }

  /** Takes from a bucket, and adds it to `shares` once half of it is used. Errors: `rate_limited` if it is empty. */
  function take(c: Context, shares: Share[], whose: Share["whose"], name: string): void {
    const { perSecond, burst, buckets } = rates[whose];
    const { left, waitMs } = buckets.take(name);
    if (left * 2 > burst) return;
    const share = { whose, burst, left, seconds: Math.ceil((waitMs ?? 0) / 1_000) };
    if (waitMs === undefined) return void shares.push(share);
    limited(whose);
    tell(c, [share]);
    c.header("Retry-After", String(share.seconds));
    const message = whose === "caller"
      ? `You send more than ${perSecond} requests a second.`
      : `This room gets more than ${perSecond} requests a second.`;
    throw new RequestError("rate_limited", message, {
      hint: "Slow down. Instead of polling, wait with a condition; instead of many writes, send a batch.",
    });
  }

  /** Returns whose requests a request is one of; nobody's where nothing is counted. */
  function* countedBy(c: Context): Iterable<[whose: Share["whose"], name: string]> {
    const caller = callerWithLimits(c);
    if (caller === undefined || UNCOUNTED.test(c.req.path)) return;
    if (caller !== null) yield ["caller", caller];
    const room = roomIn(c.req.path);
    if (room !== undefined) yield ["room", countedRoom(c, namedRoom(c, room), caller)];
  }

  return {
    /** Limits the rate of requests of a caller and to a room. Errors: `rate_limited`. */
    admit(c: Context, next: Next): Promise<void> {
      const shares: Share[] = [];
      for (const [whose, name] of countedBy(c)) take(c, shares, whose, name);
      return shares.length === 0 ? next() : next().then(() => tell(c, shares));
    },

    /** Counts what is stored for a request's repetitions: `storedBytes` of it as one request more. */
    charge(c: Context, bytes: number): void {
      const requests = Math.floor(bytes / LIMITS.storedBytes);
      if (requests === 0) return;
      for (const [whose, name] of countedBy(c)) rates[whose].buckets.charge(name, requests);
    },

    /** Counts a wait or a stream until the returned function is called. Errors: `rate_limited`. */
    hold(c: Context, kind: "wait" | "stream", room: string): () => void {
      const caller = callerWithLimits(c);
      if (caller === undefined) return () => {};
      const shares: Array<[name: string, max: number, whose: string]> = [];
      const ofCaller = kind === "wait" ? options.waitsOfCaller : options.streamsOfCaller;
      if (caller !== null) shares.push([`${kind} of ${caller}`, ofCaller, "You have"]);
      if (kind === "wait") {
        shares.push([`in ${countedRoom(c, room, caller)}`, options.waitsOfRoom, "This room has"]);
      }
      for (const [name, max, whose] of shares) {
        if (max > 0 && holds.count(name) >= max) {
          limited(`${kind}s`);
          c.header("Retry-After", String(LIMITS.retryAfterSeconds));
          throw new RequestError("rate_limited", `${whose} ${max} ${kind}s under way, the most at once.`, {
            hint: "End one, or combine several: a wait may ask for several things with ||.",
          });
        }
      }
      return holds.hold(shares.map(([name]) => name));
    },
  };
}

/** What is left of a bucket of which half is used. */
interface Share {
  whose: "caller" | "room";
  burst: number;
  left: number;
  seconds: number;
}

/**
 * Sends what is left in the RateLimit headers of an IETF draft. Most answers have none: adding headers to a finished
 * answer costs far more than the count.
 */
function tell(c: Context, shares: Share[]): void {
  const { burstSeconds } = LIMITS;
  c.header(
    "RateLimit-Policy",
    shares.map(({ whose, burst }) => `"${whose}";q=${burst};w=${burstSeconds}`).join(", "),
  );
  c.header(
    "RateLimit",
    shares.map(({ whose, left, seconds }) => `"${whose}";r=${left};t=${seconds}`).join(", "),
  );
}
