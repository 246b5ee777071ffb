/** Who reads or writes. Viewers with the same `key` see the same. */
export interface Viewer {
  readonly key: string;
  /** The token that it shows, which may not be in force: the database decides (db/access/token.ts). */
  readonly token?: ShownToken;
}

export interface ShownToken {
  /** The SHA-256 of its text, in hex. */
  readonly hash: string;
  /** The stored id of the request's room. */
  readonly room: string;
  /** What this instance knows of the token (db/access/token.ts). */
  facts?: TokenFacts;
}

/** What an instance knows of a token. The first five members never change while it is in force. */
export interface TokenFacts {
  id: string;
  /** The stored id. */
  room: string;
  role: "admin" | "member" | "reader";
  /** The agent to which it is bound; null where it is bound to none. */
  agent: string | null;
  ends: boolean;
  /**
   * When it was last used, as far as the instance knows: milliseconds by the database's clock, rounded down to the
   * hour.
   */
  usedAt: number;
  /**
   * The generation of tokens at which the database last had it in force (`GENERATION` in db/access/token.ts); null where
   * none is known.
   */
  generation: number | null;
  /** Whether another may replace it while it is unused: the request that rotated to it may be repeated. */
  replaceable: boolean;
}

/** A caller without a token. */
export const EVERYBODY: Viewer = { key: "" };

/** The service itself: for reads that it shows to nobody, or that are the same for all viewers. */
export const SERVICE: Viewer = { key: "\n" };

/** Stands for the hash of the operator's token, which belongs to no room. No text has this hash. */
export const OPERATOR = "operator";

export function isOperator({ token }: Viewer): boolean {
  return token?.hash === OPERATOR;
}

/** Makes the viewer that shows a token in a room. In another room it is another viewer, which sees nothing. */
export function holderOf(hash: string, room: string): Viewer {
  return { key: `${hash} ${room}`, token: { hash, room } };
}

/**
 * Makes the key under which something that a viewer may see is cached or shared; nothing else may make one. Neither
 * keys nor names have a line feed, so no two viewers share a key.
 */
export function keyFor({ key }: Viewer, name: string): string {
  return key === "" ? name : `${key}\n${name}`;
}
