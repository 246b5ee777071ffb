import { createHash, timingSafeEqual } from "node:crypto";
import type { Context } from "hono";
import { isLocked, lockedRoom } from "../../../db/access/locked.ts";
import { isKnownIn } from "../../../db/access/token.ts";
import { looksLikeToken, readToken, type TokenText } from "../../../db/access/token_text.ts";
import type { Database } from "../../../db/database.ts";
import { createLru } from "../../../db/lru.ts";
import { findRoom } from "../../../db/rooms/read.ts";
import { EVERYBODY, holderOf, OPERATOR, type Viewer } from "../../../db/viewer.ts";
import { invalidMember, RequestError } from "../errors.ts";
import { existingId } from "../ids.ts";

const BEARER = /^bearer[ \t]+/i;
/** A client's two headers come as one, with a comma between them. */
const SEVERAL = /^bearer[ \t][^,]*,|, *bearer[ \t]/i;

const TOKEN = "token";

/** A token as headers show it, and the viewer who showed it last, in the room of this id. */
interface Shown {
  token: TokenText;
  id?: string;
  viewer?: Viewer;
}

/**
 * Headers whose tokens are remembered: few, since so many texts of tokens are in memory, and none with many spaces.
 * Hashing each costs a small read 5 %, which is why they are kept by their texts; SECURITY.md says so.
 */
const REMEMBERED = 1_000;
const LONGEST_REMEMBERED = 80;

/** Tokens by their headers. The database alone knows whether one is in force. */
const read = createLru<Shown>(REMEMBERED);

/**
 * Takes the token that a request shows, for `tokenOf`, before all else; returns a promise where that needs a look at the
 * database. Other schemes and Bearers of other forms are ignored, since proxies pass their own on. Errors:
 * `unauthenticated` if it is malformed; `invalid_request` if there are two.
 */
export function createCredentials(database: Database, operatorToken?: string) {
  /** Takes the operator's token. It is of every room, so the database tells whether the one with the id is locked. */
  async function takeOperators(c: Context): Promise<void> {
    const id = roomIn(c.req.path) ?? c.req.query("room");
    const room = id === undefined ? "" : await findRoom(database, existingId(id));
    const token: TokenText = { hash: OPERATOR, role: "admin", locked: isLocked(room) };
    c.set(TOKEN, { token } satisfies Shown);
  }

  return function take(c: Context): Promise<void> | undefined {
    const header = c.req.header("authorization");
    if (header === undefined) return;
    if (operatorToken !== undefined && isSame(textOf(header), operatorToken)) return takeOperators(c);
    let shown = read.get(header);
    if (shown === undefined) {
      const token = tokenIn(header);
      if (token === undefined) return;
      shown = { token };
      if (header.length <= LONGEST_REMEMBERED) read.set(header, shown);
    }
    c.set(TOKEN, shown);
  };
}

/** Returns the text that a Bearer carries; empty for other schemes. */
const textOf = (header: string) => BEARER.test(header) ? header.replace(BEARER, "").trim() : "";

const digest = (text: string) => createHash("sha256").update(text).digest();
/** Compares texts in a time that depends on nothing but their lengths. */
const isSame = (text: string, secret: string) =>
  text.length === secret.length && timingSafeEqual(digest(text), digest(secret));

function tokenIn(header: string): TokenText | undefined {
  if (SEVERAL.test(header)) {
    throw invalidMember(
      ["Authorization"],
      "Authorization must come once.",
      "Send the token of this room alone.",
    );
  }
  const text = textOf(header);
  if (!looksLikeToken(text)) {
    if (STANDS_FOR_ONE.test(text)) throw noToken();
    if (!OTHER_SCHEME.test(header) && holdsToken(header)) throw otherForm();
    return undefined;
  }
  const token = readToken(text);
  if (token === undefined) {
    throw new RequestError("unauthenticated", "The token is malformed.", {
      hint: "Send it letter for letter as it was given: cvn_, its kind, 43 and 6 letters and digits.",
    });
  }
  return token;
}

/**
 * Matches the beginning of a token that stands in a header in another form: after no scheme, or in quotes.
 * The same letters within a longer word, such as what proxies pass on, are no token, unless they are all of one.
 */
const WITHIN = /(?<![\w.~+/-])cvn_[amr]_\w/;
const WHOLE = /cvn_[amr]_[0-9A-Za-z]{49}/g;
/** Matches the beginning of what is for others, whatever stands in it: another scheme and a space. */
const OTHER_SCHEME = /^(?!bearer\b|cvn_)[\w!#$%&'*+.^`|~-]+[ \t]/i;

/** Tells whether a text holds what is meant as a token. */
const holdsToken = (text: string) =>
  WITHIN.test(text) || text.match(WHOLE)?.some((word) => readToken(word) !== undefined) === true;

/** Refuses a token in another form: were it ignored, its sender would act as nobody, and not hear of it. */
function otherForm(): RequestError {
  return new RequestError("unauthenticated", "Authorization holds a token, but not as a Bearer.", {
    hint: "Send `Authorization: Bearer cvn_...`: that word, a space and the token alone, without quotes.",
  });
}

/** Matches what documents and shells write for a token, such as `<token>` or `$TOKEN` within single quotes. */
const STANDS_FOR_ONE = /^(<[^<>]*>|\$\w+|\$\{[^{}]*\})$/;

function noToken(): RequestError {
  return new RequestError("unauthenticated", "Authorization holds what stands for a token, not the token.", {
    hint: "Send `Authorization: Bearer cvn_...` with the token that you were given, or leave the header out.",
  });
}

function shownBy(c: Context): Shown | undefined {
  return c.get(TOKEN);
}

export function isByOperator(c: Context): boolean {
  return tokenOf(c)?.hash === OPERATOR;
}

/** Returns the id of the path's room, unescaped. */
export function roomIn(path: string): string | undefined {
  const id = /^\/rooms\/([^/]+)/.exec(path)?.[1];
  if (id === undefined || !id.includes("%")) return id;
  try {
    return decodeURIComponent(id);
  } catch {
    return id;
  }
}

/** Returns the token that a request shows, in force or not. */
export function tokenOf(c: Context): TokenText | undefined {
  return shownBy(c)?.token;
}

/** Returns the id under which the room of a request's path is stored, whether it exists or not. */
export function storedRoom(c: Context, id: string): string {
  return namedRoom(c, existingId(id));
}

/** Returns the name under which requests to a room are counted, for any text: locked and open rooms apart. */
export function namedRoom(c: Context, text: string): string {
  return tokenOf(c)?.locked ? lockedRoom(text) : text;
}

/**
 * Returns the name under which a caller's requests to a room are counted. A caller whose token this instance does not know
 * as the room's is counted apart, else any token of another room could use up the room's rate.
 */
export function countedRoom(c: Context, room: string, caller: string | null): string {
  const token = tokenOf(c);
  const isOwn = !token?.locked || token.hash === OPERATOR || isKnownIn(token.hash, room);
  return isOwn ? room : `${room}\n${caller ?? ""}`;
}

/** Returns on whose behalf a request reads and writes. */
export function viewerOf(c: Context): Viewer {
  const shown = shownBy(c);
  if (shown === undefined) return EVERYBODY;
  const id = c.req.param("room") ?? c.req.query("room");
  return id === undefined ? { key: shown.token.hash } : viewerIn(c, id);
}

/** Returns on whose behalf a request acts in a room. */
export function viewerIn(c: Context, id: string): Viewer {
  const shown = shownBy(c);
  if (shown === undefined) return EVERYBODY;
  if (shown.id !== id) [shown.id, shown.viewer] = [id, holderOf(shown.token.hash, storedRoom(c, id))];
  return shown.viewer!;
}
