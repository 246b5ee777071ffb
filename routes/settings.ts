import { FAIR_USE } from "./fair_use.ts";
import type { ServiceOptions } from "./services.ts";

/**
 * What an operator sets, from the environment (README.md has the table). Throws, with a sentence to read, where a
 * value is no number of 0 or more: a limit that was mistyped must not be none.
 */
export function settingsOf(env: (name: string) => string | undefined): ServiceOptions {
  function number(name: string): number | undefined {
    const text = env(name)?.trim();
    if (!text) return undefined;
    const value = Number(text);
    if (Number.isFinite(value) && value >= 0) return value;
    throw new Error(`${name} must be a number, 0 or more, and is ${JSON.stringify(text)}.`);
  }

  return {
    poll: number("WAIT_POLL_MS") || undefined,
    source: env("SOURCE_URL"),
    fairUse: {
      callerPerSecond: number("RATE_LIMIT"),
      roomPerSecond: number("ROOM_RATE_LIMIT") ?? FAIR_USE.roomPerSecond,
      waitsOfCaller: number("WAITS_PER_CALLER") ?? FAIR_USE.waitsOfCaller,
      waitsOfRoom: number("WAITS_PER_ROOM") ?? FAIR_USE.waitsOfRoom,
      streamsOfCaller: number("STREAMS_PER_CALLER") ?? FAIR_USE.streamsOfCaller,
      trustedProxies: number("TRUSTED_PROXIES") ?? FAIR_USE.trustedProxies,
    },
  };
}
