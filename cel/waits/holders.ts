import { Refusal } from "../../db/refusal.ts";
import { isOperator, type ShownToken, type Viewer } from "../../db/viewer.ts";

/** A token that counts no longer, and whether its room is there. */
export type Revoked = ShownToken & { isThere: boolean };

/** Those who wait or follow with a token. */
export interface Holders {
  /** Notes one until the returned function is called. `end` is called where its token counts no longer. */
  hold(viewer: Viewer, end: (error: Refusal) => void): () => void;
  tokens(): ShownToken[];
  /** Ends those who hold these tokens. */
  revoke(tokens: Revoked[]): void;
}

const nothing = () => {};

/** Creates the holders of this instance. */
export function createHolders(): Holders {
  const holders = new Map<string, { token: ShownToken; ends: Set<(error: Refusal) => void> }>();

  return {
    hold(viewer, end) {
      const { token } = viewer;
      if (token === undefined || isOperator(viewer)) return nothing;
      const name = nameOf(token);
      const holder = holders.get(name) ?? { token, ends: new Set() };
      holders.set(name, holder);
      holder.ends.add(end);
      return () => {
        holder.ends.delete(end);
        if (holder.ends.size === 0 && holders.get(name) === holder) holders.delete(name);
      };
    },
    tokens: () => [...holders.values()].map(({ token }) => token),
    revoke(tokens) {
      for (const token of tokens) {
        const code = token.isThere ? "unauthenticated" : "room_not_found";
        for (const end of [...holders.get(nameOf(token))?.ends ?? []]) end(new Refusal(code, {}));
      }
    },
  };
}

const nameOf = ({ hash, room }: ShownToken) => `${hash} ${room}`;
