import { createHash, timingSafeEqual } from "node:crypto";
import type { Context } from "hono";
import { isLocked, lockedRoom } from "../../../db/access/locked.ts";
import { looksLikeToken, readToken, type TokenText } from "../../../db/access/token_text.ts";
import type { Database } from "../../../db/database.ts";
import { createLru } from "../../../db/lru.ts";
import { findRoom } from "../../../db/rooms/room.ts";
import { EVERYBODY, holderOf, OPERATOR, type Viewer } from "../../../db/viewer.ts";
import { invalidMember, RequestError } from "../errors.ts";
import { existingId } from "../ids.ts";

const BEARER = /^bearer[ \t]+/i;
/** A client's two headers come as one, with a comma between them. */
const SEVERAL = /^bearer[ \t][^,]*,|, *bearer[ \t]/i;

const TOKEN = "token";

/** A token as headers show it, and the viewer who showed it last. */
interface Shown {
  token: TokenText;
  viewer?: Viewer;
}

/** Tokens by their headers: reading one costs a small read 5 %. Whether it counts, the database knows. */
const read = createLru<Shown>(10_000);

/** Takes what a request shows of who sends it, before all else; where it has to look that up, it resolves then. */
export type TakeCredentials = (c: Context) => Promise<void> | undefined;

/**
 * Takes the token that a request shows, for `tokenOf`. Other schemes and Bearers of other forms are ignored, since
 * proxies pass their own on. Errors: `unauthenticated` if it is malformed; `invalid_request` if there are two.
 */
export function createCredentials(database: Database, operatorToken?: string): TakeCredentials {
  /** Finds out which of the rooms that may have the id is there; tokens of rooms tell by themselves. */
  async function takeOperators(c: Context): Promise<void> {
    const id = roomIn(c.req.path) ?? c.req.query("room");
    const room = id === undefined ? "" : await findRoom(database, existingId(id));
    const token: TokenText = { hash: OPERATOR, role: "admin", locked: isLocked(room) };
    c.set(TOKEN, { token } satisfies Shown);
  }

  return function take(c) {
    const header = c.req.header("authorization");
    if (header === undefined) return;
    if (operatorToken !== undefined && isSame(textOf(header), operatorToken)) return takeOperators(c);
    let shown = read.get(header);
    if (shown === undefined) {
      const token = tokenIn(header);
      if (token === undefined) return;
      read.set(header, shown = { token });
    }
    c.set(TOKEN, shown);
  };
}

/** The text that a Bearer carries; empty for other schemes. */
const textOf = (header: string) => BEARER.test(header) ? header.replace(BEARER, "").trim() : "";

const digest = (text: string) => createHash("sha256").update(text).digest();
/** Compares texts in a time that tells nothing but their lengths. */
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
  if (!looksLikeToken(text)) return undefined;
  const token = readToken(text);
  if (token === undefined) {
    throw new RequestError("unauthenticated", "The token is malformed.", {
      hint: "Send it letter for letter as it was given: cvn_, its kind, 43 and 6 letters and digits.",
    });
  }
  return token;
}

function shownBy(c: Context): Shown | undefined {
  return c.get(TOKEN);
}

/** Whether a request shows the operator's token. */
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

/** Returns the token that a request shows, which may count or not. */
export function tokenOf(c: Context): TokenText | undefined {
  return shownBy(c)?.token;
}

/** Returns the id under which the room of a request's path is stored, whether it exists or not. */
export function storedRoom(c: Context, id: string): string {
  return namedRoom(c, existingId(id));
}

/** Returns what names a room in counts, for any text: who shows no token of a locked one counts apart. */
export function namedRoom(c: Context, text: string): string {
  return tokenOf(c)?.locked ? lockedRoom(text) : text;
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
  const room = storedRoom(c, id);
  if (shown.viewer?.token?.room !== room) shown.viewer = holderOf(shown.token.hash, room);
  return shown.viewer!;
}
