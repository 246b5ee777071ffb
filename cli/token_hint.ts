import type { ErrorCode } from "../client/mod.ts";
import type { Input } from "./input.ts";
import { isAdmins, keptBefore, keptElsewhere, type KeptFile } from "./kept_tokens.ts";

/** The refusals of which a token, or its absence, may be the reason. */
const OF_TOKENS: ErrorCode[] = ["room_not_found", "unauthenticated", "id_unavailable"];

/**
 * Says what the command knows of the token of the room that refused it: whether one went along, and where others are
 * kept. The service tells nobody why a token does not count.
 */
export function tokenHint(input: Input, code: ErrorCode): string | undefined {
  if (code === "forbidden") return aboutAside(input);
  return OF_TOKENS.includes(code) ? aboutToken(input) : undefined;
}

/** Where other tokens of the room are, which may do what the kept one may not. */
function aboutAside(input: Input): string | undefined {
  const { asked: room } = input;
  const kept = room === undefined ? undefined : input.keptFor(room);
  return kept === undefined || isAdmins(kept.token) ? undefined : whereAside(input, kept.room);
}

function whereAside({ environment, server }: Input, room: string): string | undefined {
  const others = keptBefore(environment, server.connection.url, room);
  if (others.length === 0) return undefined;
  const places = others.map((kept) => `${whose(kept)} in ${kept.file}`).join(", ");
  return `Other tokens of this room are kept: ${places}. To act under one again: convene tokens keep < FILE.`;
}

function whose({ token, agent }: KeptFile): string {
  if (agent !== undefined) return `${agent}'s`;
  return isAdmins(token) ? "an admin's" : "one of no agent";
}

/** What the command knows of the token of the room that it asked last. */
export function aboutToken(input: Input): string | undefined {
  const { asked: room, environment } = input;
  if (room === undefined) return undefined;
  if (environment.CONVENE_TOKEN) {
    return "The token in CONVENE_TOKEN may be revoked or replaced, or be of another room.";
  }
  if (environment.CONVENE_TOKEN !== undefined) return undefined;
  const { url } = input.server.connection;
  if (input.keptFor(room) !== undefined) {
    const told =
      `The token kept for this room at ${url} may be revoked or replaced: ask an admin for another, then ` +
      "convene join CODE, or set CONVENE_TOKEN.";
    const aside = whereAside(input, room);
    return aside === undefined ? told : `${told} ${aside}`;
  }
  const others = keptElsewhere(environment, url, room);
  if (others.length === 0) return undefined;
  return `A token is kept for this room at ${others.join(", ")}: if that is this service, say --server ${
    others[0]
  }.`;
}
