import type { Context, Handler } from "hono";
import { getRoom } from "../../../db/rooms/read.ts";
import type { Database } from "../../../db/database.ts";
import { Refusal } from "../../../db/refusal.ts";
import { isInForce } from "../../../db/tokens/read.ts";
import { isByOperator, tokenOf } from "./credentials.ts";
import { RequestError } from "../errors.ts";
import { roomOf } from "../requests.ts";
import type { Callers } from "./own_agent.ts";

/**
 * What an operation asks of a request:
 * - `open`: nothing; it is of no room, or judges by itself
 * - `read`: nothing in an open room, any token of a locked one
 * - `write`: the same, but no reader's token
 * - `manage`: the same as `write` in an open room, an admin's token of a locked one
 * - `own`: any token of the room
 * - `admin`: an admin's token of the room
 * - `delete`: an admin's token of a locked room, the operator's of an open one
 * - `operator`: the operator's token
 * The operator's token is an admin's of every room.
 */
export type Right = "open" | "read" | "write" | "manage" | "own" | "admin" | "delete" | "operator";

/** The only place that says what each operation asks, by its id. One without a row cannot be served. */
export const RIGHTS: Readonly<Record<string, Right>> = {
  guide: "open",
  health: "open",
  metrics: "operator",
  listRooms: "open",
  createRoom: "open",
  getRoom: "read",
  patchRoom: "manage",
  deleteRoom: "delete",
  listAgents: "read",
  registerAgent: "write",
  getAgent: "read",
  leaveRoom: "write",
  heartbeat: "write",
  listMessages: "read",
  postMessage: "write",
  getMessage: "read",
  claimMessage: "write",
  renewClaim: "write",
  releaseClaim: "write",
  completeTask: "write",
  failTask: "write",
  listAttempts: "read",
  takeTask: "write",
  listReservations: "read",
  reservePaths: "write",
  releaseReservation: "write",
  renewReservation: "write",
  readState: "read",
  writeEntry: "write",
  deleteEntry: "write",
  writeBatch: "write",
  evaluate: "read",
  wait: "read",
  waitByQuery: "read",
  readChanges: "read",
  followEvents: "read",
  listTokens: "own",
  createToken: "own",
  revokeToken: "own",
  rotateToken: "own",
  listInvites: "own",
  createInvite: "manage",
  revokeInvite: "admin",
  readInvitation: "open",
  joinByCode: "open",
};

export interface Judges extends Callers {
  /** Whether there is an operator. */
  rules: { operator: boolean };
}

/**
 * Lets a handler serve only requests whose token, by its text, has the right that its operation asks. Whether the token
 * is in force, and for whom, the database judges with what the handler does. Errors: `room_not_found`,
 * `unauthenticated`, `forbidden`.
 */
export function requiring(operation: string, services: Judges, handle: Handler): Handler {
  const right = RIGHTS[operation];
  if (right === undefined) throw new Error(`No right of the operation ${operation} in the table of rights.`);
  if (right === "open" || right === "read") return handle;
  if (right === "operator") {
    return async (c, next) => {
      if (!services.rules.operator) throw nothingHere();
      await requireOperator(c, services.database);
      return await handle(c, next);
    };
  }
  return (c, next) => suffices(c, right) ? handle(c, next) : refuse(c, right, services);
}

function nothingHere(): RequestError {
  return new RequestError("not_found", "There is nothing at this path.", { hint: "GET / explains the API." });
}

function suffices(c: Context, right: Right): boolean {
  const token = tokenOf(c);
  if (token === undefined) return right === "write" || right === "manage";
  if (right === "delete") return token.role === "admin" && (token.locked || isByOperator(c));
  if (right === "own" || token.role === "admin") return true;
  return token.role === "member" && (right === "write" || right === "manage" && !token.locked);
}

/** Refuses a request: a token that is not in force as such, whatever its text says of its role. */
async function refuse(c: Context, right: Right, { database, viewerOf }: Judges): Promise<never> {
  await getRoom(database, viewerOf(c), roomOf(c));
  const token = tokenOf(c);
  if (token === undefined) {
    throw new Refusal("unauthenticated", right === "delete" ? { may: "delete" } : { none: true });
  }
  const may = token.role === "reader" ? "read" : token.role === "admin" ? "all_but_delete" : "write";
  throw new Refusal("forbidden", { may });
}

/**
 * Refuses all but the operator, with a hint: `instead` is what others may do. Errors: `unauthenticated`; `forbidden` for a
 * token of a room that is in force.
 */
export async function requireOperator(c: Context, database: Database, instead = ""): Promise<void> {
  if (isByOperator(c)) return;
  const token = tokenOf(c);
  if (token && await isInForce(database, token.hash)) throw new Refusal("forbidden", { may: "one_room" });
  throw new RequestError("unauthenticated", "This is for the operator alone.", {
    hint: `The operator sends Authorization: Bearer <OPERATOR_TOKEN>.${instead}`,
  });
}
