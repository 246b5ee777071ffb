import { Refusal } from "../../db/refusal.ts";
import { isOperator, type ShownToken, type Viewer } from "../../db/viewer.ts";

/** A token that counts no longer, and whether its room is there. */
export type Revoked = ShownToken & { isThere: boolean };

/** One who waits or follows with a token. */
interface Holder {
  /** Whether its first read has found that the token counts; before that, this read tells why it does not. */
  hasBegun(): boolean;
  /** Ends it where its token counts no longer. */
  end(error: Refusal): void;
}

/** Those who wait or follow with a token. */
export interface Holders {
  /** Notes one until the returned function is called. */
  hold(viewer: Viewer, holder: Holder): () => void;
  tokens(): ShownToken[];
  /** Ends those who hold these tokens. */
  revoke(tokens: Revoked[]): void;
}

const nothing = () => {};

/** Creates the holders of this instance. */
export function createHolders(): Holders {
  const byToken = new Map<string, { token: ShownToken; holders: Set<Holder> }>();

  return {
    hold(viewer, holder) {
      const { token } = viewer;
      if (token === undefined || isOperator(viewer)) return nothing;
      const name = nameOf(token);
      const of = byToken.get(name) ?? { token, holders: new Set() };
      byToken.set(name, of);
      of.holders.add(holder);
      return () => {
        of.holders.delete(holder);
        if (of.holders.size === 0 && byToken.get(name) === of) byToken.delete(name);
      };
    },
    tokens: () => [...byToken.values()].map(({ token }) => token),
    revoke(tokens) {
      for (const token of tokens) {
        const code = token.isThere ? "unauthenticated" : "room_not_found";
        for (const { hasBegun, end } of [...byToken.get(nameOf(token))?.holders ?? []]) {
          if (hasBegun()) end(new Refusal(code, {}));
        }
      }
    },
  };
}

const nameOf = ({ hash, room }: ShownToken) => `${hash} ${room}`;
