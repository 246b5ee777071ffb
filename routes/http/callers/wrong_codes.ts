import type { Context } from "hono";
import { createLru } from "../../../db/lru.ts";
import { RequestError } from "../errors.ts";
import type { Limited } from "../figures.ts";
import { LIMITS } from "../limits.ts";
import { callerOf } from "./caller.ts";

/**
 * Counts wrong join codes, so that nobody guesses one. Each instance counts for itself; callers on this machine count
 * too. `now` is in milliseconds.
 */
export function createWrongCodes(
  trustedProxies: number,
  now: () => number,
  limited: (by: Limited) => void,
) {
  const callers = createLru<number[]>(LIMITS.callersRemembered);
  const inAll: number[] = [];

  const nameOf = (c: Context) => callerOf(c, trustedProxies) ?? "";
  /** Returns the milliseconds until one of the last `max` times is forgotten; 0 if there were fewer. */
  const waitFor = (times: number[], max: number) =>
    times.length < max ? 0 : Math.max(0, times.at(-max)! + LIMITS.wrongCodesMs - now());

  /** Refuses a caller that has sent too many, whatever it sends now. Errors: `rate_limited`. */
  function check(c: Context): void {
    const own = callers.get(nameOf(c)) ?? [];
    const latest = own.at(-1);
    const sentOne = latest !== undefined && now() - latest < LIMITS.wrongCodesMs;
    const ofAll = sentOne ? waitFor(inAll, LIMITS.wrongCodes) : 0;
    const waitMs = waitFor(own, LIMITS.wrongCodesOfCaller) || ofAll;
    if (waitMs > 0) refuse(c, waitMs);
  }

  function refuse(c: Context, waitMs: number): never {
    limited("codes");
    c.header("Retry-After", String(Math.ceil(waitMs / 1_000)));
    throw new RequestError("rate_limited", "Too many wrong join codes were sent.", {
      hint: "Ask whoever invites you for the code, and send it letter for letter.",
    });
  }

  return {
    check,
    /** Counts a wrong code. Errors: `rate_limited` where there were too many before it. */
    count(c: Context): void {
      check(c);
      const [caller, waitMs] = [nameOf(c), waitFor(inAll, LIMITS.wrongCodes)];
      callers.set(caller, [...callers.get(caller) ?? [], now()].slice(-LIMITS.wrongCodesOfCaller));
      if (inAll.push(now()) > LIMITS.wrongCodes) inAll.shift();
      if (waitMs > 0) refuse(c, waitMs);
    },
  };
}
