/** The reader of a room. Viewers with the same `key` see the same. */
export interface Viewer {
  readonly key: string;
  /** The token that it shows, which counts only where the database has it in force (db/access/token.ts). */
  readonly token?: ShownToken;
}

/** A token as a request shows it. */
export interface ShownToken {
  /** The SHA-256 of its text. */
  readonly hash: string;
  /** The room of the request, as it is stored. */
  readonly room: string;
  /** What this instance knows of it (db/access/token.ts). */
  facts?: TokenFacts;
}

/** What an instance knows of a token. The first five never change while it is in force. */
export interface TokenFacts {
  id: string;
  /** As it is stored. */
  room: string;
  role: "admin" | "member" | "reader";
  /** The agent that it is bound to. */
  agent: string | null;
  /** Whether it has an end. */
  ends: boolean;
  /** When it was used, to the hour, as far as the instance knows, by the database's clock in milliseconds. */
  usedAt: number;
  /** Whether another may take its place while it is unused: the request that rotated to it may be sent again. */
  replaceable: boolean;
}

/** The viewer without a key of its own: so far, each caller. */
export const EVERYBODY: Viewer = { key: "" };

/** The service itself, for reads that it shows to nobody or that are the same for all viewers. */
export const SERVICE: Viewer = { key: "\n" };

/** Stands for the hash of the operator's token, which is of no room: no text has this hash. */
export const OPERATOR = "operator";

export function isOperator({ token }: Viewer): boolean {
  return token?.hash === OPERATOR;
}

/** Makes the viewer that shows a token in a room; in another room it is another viewer, which sees nothing. */
export function holderOf(hash: string, room: string): Viewer {
  return { key: `${hash} ${room}`, token: { hash, room } };
}

/**
 * Makes the key of whatever keeps or shares what a viewer may see; nothing else may key it. Keys and names have no line
 * feed, so that no two viewers share one.
 */
export function keyFor({ key }: Viewer, name: string): string {
  return key === "" ? name : `${key}\n${name}`;
}
