import { AS_NONE } from "../access/acts.ts";
import type { Database } from "../database.ts";
import type { Row } from "../driver/statement.ts";
import { revisionOf, ROOM_REVISION } from "../rooms/room.ts";
import type { Operation } from "../write/context.ts";
import { commitOnce, deniedBy } from "../write/idempotency.ts";

/** The SQL of a revocation, with `:room`, `:id` and `:own_hash`, the hash of the viewer's token. */
interface RevocationSql {
  /** Selects the columns `asked`, all of which must be true, before anything is revoked. */
  found: string;
  asked: string[];
  /** Revokes, and nothing where one of `asked` is false. */
  revoke: string;
}

/**
 * Makes the operation that revokes a thing of a room by its id. `check` throws the refusal of a row of `found` in which
 * something is false. It leaves the revision alone. Errors: `room_not_found`, those of `check`.
 */
export function revocation(
  database: Database,
  thing: { room: string; id: string },
  { found, asked, revoke }: RevocationSql,
  check: (asked: Row, revision: number) => void,
): Operation<{ revision: number }> {
  return {
    acts: AS_NONE,
    async run(context) {
      const args = { ...thing, own_hash: context.viewer.token?.hash ?? null };
      const { rows, answers, stored } = await commitOnce(database, context, {
        steps: [
          { sql: ROOM_REVISION, args: { room: thing.room }, answer: { columns: ["revision"] } },
          { sql: found, args, single: true, answer: { columns: asked } },
          { sql: revoke, args },
        ],
        refused: deniedBy(1, asked),
      });
      const outcome = stored ?? { now: await context.time(), revision: undefined, rows: answers };
      if (!outcome.replayed) check(rows[1]![0]!, revisionOf(rows[0]!));
      return outcome;
    },
    answer: ({ rows: [rooms] }) => ({ revision: revisionOf(rooms!) }),
  };
}
