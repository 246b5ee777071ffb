import { IN_FORCE, knownFacts } from "../access/token.ts";
import type { ServerClock } from "../clock.ts";
import type { BatchQueue } from "./queue.ts";
import type { Coalescer } from "./groups.ts";
import { SERVICE, type TokenFacts, type Viewer } from "../viewer.ts";

const HOUR_MS = 60 * 60 * 1_000;

const MARK_USED = `
  UPDATE tokens SET last_used_at = used.value ->> 2, unused = 0 FROM json_each(:uses) AS used
   WHERE tokens.hash = used.value ->> 0 AND tokens.room_id = used.value ->> 1 AND ${IN_FORCE}
     AND (tokens.unused OR tokens.last_used_at IS NULL OR tokens.last_used_at < used.value ->> 2)`;

type Use = [hash: string, room: string, hour: number];

const USES: Coalescer<Use, void> = {
  statements: (uses) => [{ sql: MARK_USED, args: { uses: JSON.stringify(uses) } }],
  results: (uses) => uses.map(() => undefined),
};

/** Returns the result, and records the use of the viewer's token. */
type NoteUse = <Result>(viewer: Viewer, result: Promise<Result>) => Promise<Result>;

/**
 * Creates the function that records the uses of tokens: at most once an hour for each token, after the answer. Only the
 * first use of a token that another may replace is recorded before the answer.
 */
export function createUses({ submitCoalesced }: BatchQueue, clock: ServerClock): NoteUse {
  const isNoted = ({ usedAt, replaceable }: TokenFacts) => !replaceable && clock.millis() - usedAt < HOUR_MS;

  async function note(viewer: Viewer): Promise<void> {
    const facts = knownFacts(viewer);
    if (facts === undefined || isNoted(facts)) return;
    const { usedAt, replaceable } = facts;
    const { hash, room } = viewer.token!;
    const hour = facts.usedAt = Math.floor(clock.millis() / HOUR_MS) * HOUR_MS;
    const noted = submitCoalesced(SERVICE, USES, [hash, room, hour] satisfies Use)
      .then(() => void (facts.replaceable = false), () => void (facts.usedAt = usedAt));
    if (replaceable) await noted;
  }

  async function andNote<Result>(viewer: Viewer, result: Promise<Result>): Promise<Result> {
    const got = await result;
    await note(viewer);
    return got;
  }

  return (viewer, result) => {
    if (viewer.token === undefined) return result;
    const facts = knownFacts(viewer);
    return facts && isNoted(facts) ? result : andNote(viewer, result);
  };
}
