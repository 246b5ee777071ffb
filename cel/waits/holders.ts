import { Refusal } from "../../db/refusal.ts";
import type { Viewer } from "../../db/viewer.ts";

/** Those who wait or follow with a token, by its hash. */
export interface Holders {
  /** Notes one until the returned function is called. `end` is called where its token counts no longer. */
  hold(viewer: Viewer, end: (error: Refusal) => void): () => void;
  hashes(): string[];
  /** Ends those whose tokens have these hashes. */
  revoke(hashes: string[]): void;
}

const nothing = () => {};

/** Creates the holders of this instance. */
export function createHolders(): Holders {
  const holders = new Map<string, Set<(error: Refusal) => void>>();

  return {
    hold({ token }, end) {
      if (token === undefined) return nothing;
      const { hash } = token;
      const ends = holders.get(hash) ?? new Set();
      holders.set(hash, ends.add(end));
      return () => {
        ends.delete(end);
        if (ends.size === 0 && holders.get(hash) === ends) holders.delete(hash);
      };
    },
    hashes: () => [...holders.keys()],
    revoke(hashes) {
      for (const hash of hashes) {
        for (const end of [...holders.get(hash) ?? []]) end(new Refusal("unauthenticated", {}));
      }
    },
  };
}
