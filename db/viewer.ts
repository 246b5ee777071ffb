/** With whose eyes a room is read. Those who have the same `key` see the same. */
export interface Viewer {
  readonly key: string;
}

/** Whoever has no eyes of their own, as all have none yet. */
export const EVERYBODY: Viewer = { key: "" };

/** The service itself: what it reads so is shown to nobody, or is the same for all. */
export const SERVICE: Viewer = { key: "\n" };

/**
 * The name under which something is kept or shared that holds what a viewer may see: whatever holds such a thing is
 * keyed by this and by nothing else. No two viewers have one in common, since keys and names have no line feed.
 */
export function keyFor({ key }: Viewer, name: string): string {
  return key === "" ? name : `${key}\n${name}`;
}
