import type { Context } from "hono";
import { lockedRoom } from "../../../db/access/locked.ts";
import { looksLikeToken, readToken, type TokenText } from "../../../db/access/token_text.ts";
import { createLru } from "../../../db/lru.ts";
import { EVERYBODY, holderOf, type Viewer } from "../../../db/viewer.ts";
import { invalidMember, RequestError } from "../errors.ts";
import { existingId } from "../ids.ts";

const BEARER = /^bearer +/i;
/** A client's two headers come as one, with a comma between them. */
const SEVERAL = /^bearer [^,]*,|, *bearer /i;

const TOKEN = "token";

/** A token as headers show it, and the viewer who showed it last. */
interface Shown {
  token: TokenText;
  viewer?: Viewer;
}

/** Tokens by their headers: reading one costs a small read 5 %. Whether it counts, the database knows. */
const read = createLru<Shown>(10_000);

/**
 * Reads the token that a request shows, for `tokenOf`. Other schemes and Bearers of other forms are ignored, since
 * proxies pass their own on. Errors: `unauthenticated` if it is malformed; `invalid_request` if there are two.
 */
export function takeCredentials(c: Context): void {
  const header = c.req.header("authorization");
  if (header === undefined) return;
  let shown = read.get(header);
  if (shown === undefined) {
    const token = tokenIn(header);
    if (token === undefined) return;
    read.set(header, shown = { token });
  }
  c.set(TOKEN, shown);
}

function tokenIn(header: string): TokenText | undefined {
  if (SEVERAL.test(header)) {
    throw invalidMember(
      ["Authorization"],
      "Authorization must come once.",
      "Send the token of this room alone.",
    );
  }
  if (!BEARER.test(header)) return undefined;
  const text = header.replace(BEARER, "").trim();
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
