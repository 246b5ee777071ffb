import { type BrowserOptions, originOf } from "../http/callers/browsers.ts";
import { FAIR_USE } from "../http/callers/fair_use.ts";
import { hostIn } from "../http/callers/hosts.ts";
import type { ServiceOptions } from "../services.ts";
import { StartRefusal } from "./starting.ts";

type Env = (name: string) => string | undefined;

/** Longer intervals make no sense, and timers take at most 24 days. */
const MAX_POLL_MS = 3_600_000;
const MAX_PORT = 65_535;
/** Beyond them `Retry-After` and the quota would be no numbers, as of a caller who has to wait for ages. */
const RATES = [0.001, 1_000_000] as const;
/** More proxies than stand in a row. Of a header that has fewer entries, its sender would choose the caller. */
const MAX_PROXIES = 100;

/**
 * Reads the operator's settings from the environment (README.md has the table). Errors: `StartRefusal` for an invalid
 * value, since a mistyped limit must not become no limit.
 */
export function settingsOf(env: Env): ServiceOptions {
  const publicUrl = publicUrlOf(env);
  const trustedProxies = whole(env, "TRUSTED_PROXIES", 0, MAX_PROXIES) ?? FAIR_USE.trustedProxies;
  return {
    publicUrl,
    browsers: { public: publicUrl !== undefined || trustedProxies > 0, allowedOrigins: originsOf(env) },
    poll: whole(env, "WAIT_POLL_MS", 1, MAX_POLL_MS),
    source: sourceOf(env),
    operatorToken: operatorTokenOf(env),
    rules: { listRooms: isOn(env, "LIST_ROOMS", true), openRooms: !isOn(env, "REQUIRE_LOCKED", false) },
    fairUse: {
      callerPerSecond: rate(env, "RATE_LIMIT"),
      roomPerSecond: rate(env, "ROOM_RATE_LIMIT") ?? FAIR_USE.roomPerSecond,
      waitsOfCaller: whole(env, "WAITS_PER_CALLER") ?? FAIR_USE.waitsOfCaller,
      waitsOfRoom: whole(env, "WAITS_PER_ROOM") ?? FAIR_USE.waitsOfRoom,
      streamsOfCaller: whole(env, "STREAMS_PER_CALLER") ?? FAIR_USE.streamsOfCaller,
      trustedProxies,
    },
  };
}

/** Characters of the operator's token, at least: shorter ones can be guessed. */
const MIN_OPERATOR_TOKEN = 32;

/** Returns OPERATOR_TOKEN. Errors do not show it. */
function operatorTokenOf(env: Env): string | undefined {
  const text = env("OPERATOR_TOKEN")?.trim();
  if (!text) return undefined;
  if (text.length >= MIN_OPERATOR_TOKEN && /^[ -~]*$/.test(text)) return text;
  const has = text.length < MIN_OPERATOR_TOKEN ? `${text.length}` : "others";
  throw new StartRefusal(
    `OPERATOR_TOKEN must have at least ${MIN_OPERATOR_TOKEN} characters, all of them printable ASCII, and has ${has}.`,
  );
}

function isOn(env: Env, name: string, otherwise: boolean): boolean {
  const text = env(name)?.trim().toLowerCase();
  if (!text) return otherwise;
  if (text === "on" || text === "off") return text === "on";
  throw new StartRefusal(`${name} must be on or off, and is ${JSON.stringify(text)}.`);
}

/** Returns the port to serve on; 0 is any free one. */
export function portOf(env: Env): number {
  return whole(env, "PORT", 0, MAX_PORT) ?? 8000;
}

/** Returns the address to listen on. The default is loopback: every room is open to whoever reaches the service. */
export function hostOf(env: Env): string {
  const host = env("HOST")?.trim().replace(/^\[(.*)\]$/, "$1") || "127.0.0.1";
  if (hostIn(host.includes(":") ? `[${host}]` : host) !== undefined) return host;
  throw new StartRefusal(
    `HOST must be an address or a name of this machine, and is ${JSON.stringify(host)}.`,
  );
}

/** Returns PUBLIC_URL as an origin, since the service answers at the root of its host. */
function publicUrlOf(env: Env): string | undefined {
  const text = env("PUBLIC_URL")?.trim();
  if (!text) return undefined;
  const url = /^https?:\/\//i.test(text) ? URL.parse(text) : null;
  const plain = url && hostIn(url.host) && !url.username && !url.password && !url.search && !url.hash;
  if (plain && /^\/*$/.test(url.pathname)) return url.origin;
  const why = plain ? " The service answers at the root of its host: leave the path out." : "";
  throw new StartRefusal(
    `PUBLIC_URL must be an address such as https://convene.example, and is ${JSON.stringify(text)}.${why}`,
  );
}

/** Returns SOURCE_URL, to which the first page links. */
function sourceOf(env: Env): string | undefined {
  const text = env("SOURCE_URL")?.trim();
  if (!text) return undefined;
  if (/^https:\/\//i.test(text) && URL.canParse(text)) return text;
  throw new StartRefusal(
    `SOURCE_URL must be an address such as https://source.example/convene, and is ${JSON.stringify(text)}.`,
  );
}

/** Splits at commas and spaces. */
function originsOf(env: Env): BrowserOptions["allowedOrigins"] {
  const texts = env("ALLOWED_ORIGINS")?.split(/[\s,]+/).filter((text) => text !== "") ?? [];
  if (texts.join() === "*") return "*";
  return texts.map((text) => {
    const origin = originOf(text);
    if (origin !== undefined) return origin;
    throw new StartRefusal(
      "ALLOWED_ORIGINS must be *, or origins such as https://app.example, without a path and separated by commas, " +
        `and has ${JSON.stringify(text)}.`,
    );
  });
}

/** Returns the database's URL. Errors do not show the value, which may hold a secret. */
export function databaseOf(env: Env): string {
  const url = env("TURSO_DATABASE_URL")?.trim() || "file:data/convene.db";
  if (
    url === ":memory:" || /^file:./.test(url) ||
    (/^(libsql|https?):\/\/[^/?#]/.test(url) && URL.canParse(url))
  ) return url;
  throw new StartRefusal(
    "TURSO_DATABASE_URL must be file:<path> or :memory:, or begin with libsql://, https:// or http://.",
  );
}

function rate(env: Env, name: string): number | undefined {
  const [min, max] = RATES;
  const fits = (value: number) => value === 0 || (value >= min && value <= max);
  return read(env, name, `a number, 0 or from ${min} to ${max}`, fits);
}

function whole(env: Env, name: string, min = 0, max = Number.MAX_SAFE_INTEGER): number | undefined {
  const range = max === Number.MAX_SAFE_INTEGER ? `, ${min} or more` : ` from ${min} to ${max}`;
  const fits = (value: number) => Number.isInteger(value) && value >= min && value <= max;
  return read(env, name, `a whole number${range}`, fits);
}

function read(env: Env, name: string, kind: string, fits: (value: number) => boolean): number | undefined {
  const text = env(name)?.trim();
  if (!text) return undefined;
  const value = Number(text);
  if (fits(value)) return value;
  throw new StartRefusal(`${name} must be ${kind}, and is ${JSON.stringify(text)}.`);
}
