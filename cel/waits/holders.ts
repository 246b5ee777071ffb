import { Refusal } from "../../db/refusal.ts";
import { isOperator, type ShownToken, type Viewer } from "../../db/viewer.ts";

/** A token that is no longer in force, and whether its room exists. */
type Revoked = ShownToken & { isThere: boolean };

/** A wait or a stream under a token. */
interface Holder {
  /** Whether its first read has found the token in force. Until then this read is what refuses it. */
  hasBegun(): boolean;
  /** Ends it with a refusal. */
  end(error: Refusal): void;
}

/** The waits and streams of this instance that are under tokens. */
export type Holders = ReturnType<typeof createHolders>;

export function createHolders() {
  const byToken = new Map<string, { token: ShownToken; holders: Set<Holder> }>();

  return {
    /** Adds one until the returned function is called. A viewer without a token of a room is ignored. */
    hold(viewer: Viewer, holder: Holder): () => void {
      const { token } = viewer;
      if (token === undefined || isOperator(viewer)) return () => {};
      const name = nameOf(token);
      const of = byToken.get(name) ?? { token, holders: new Set() };
      byToken.set(name, of);
      of.holders.add(holder);
      return () => {
        of.holders.delete(holder);
        if (of.holders.size === 0 && byToken.get(name) === of) byToken.delete(name);
      };
    },
    /** The tokens under which something waits or streams. */
    tokens: () => [...byToken.values()].map(({ token }) => token),
    /** Ends the waits and streams under these tokens, with `unauthenticated` or `room_not_found`. */
    revoke(tokens: Revoked[]): void {
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
