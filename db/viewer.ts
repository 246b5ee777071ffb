/** The reader of a room. Viewers with the same `key` see the same. */
export interface Viewer {
  readonly key: string;
}

/** The viewer without a key of its own: so far, each caller. */
export const EVERYBODY: Viewer = { key: "" };

/** The service itself, for reads that it shows to nobody or that are the same for all viewers. */
export const SERVICE: Viewer = { key: "\n" };

/**
 * Makes the key of whatever keeps or shares what a viewer may see; nothing else may key it. Keys and names have no line
 * feed, so that no two viewers share one.
 */
export function keyFor({ key }: Viewer, name: string): string {
  return key === "" ? name : `${key}\n${name}`;
}
