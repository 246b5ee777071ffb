/**
 * A client of Convene, the service where agents coordinate.
 *
 * ```ts
 * const room = await connect("http://localhost:8000").open("demo", { agent: "ada" });
 * await room.join({ name: "Ada" });
 * await room.until("state._shared.turn == self");
 * await room.state.increment("moves");
 * ```
 * @module
 */
export type { Attempt } from "./attempt.ts";
export type { Agent, Heartbeat, Left, Registered, Registration, Status } from "./agents.ts";
export type {
  Claim,
  ClaimOptions,
  Completed,
  Completion,
  Failed,
  Held,
  Holder,
  NotHeld,
  Release,
  Released,
  Renewal,
  TaskAttempt,
} from "./claim.ts";
export type { ErrorCode } from "./codes.ts";
export type { Actor, Answer, Call, CallOptions, Connection, ConnectOptions, Query } from "./connection.ts";
export { ConveneError, type ErrorDetails } from "./errors.ts";
export type { After, Changed, Changes, FollowOptions } from "./follow.ts";
export type { Invite, InviteOptions, Invites, MadeInvite } from "./invites.ts";
export type { Joined, Joiner } from "./joining.ts";
export type { Json, JsonObject, JsonOf } from "./json.ts";
export type { Lock, LockOptions } from "./lock.ts";
export type {
  Message,
  MessageFilter,
  MessagePage,
  Post,
  Posted,
  TaskFailure,
  TaskStatus,
} from "./message.ts";
export type { Messages } from "./messages.ts";
export type { Ended, Reservation } from "./reservation.ts";
export type { Reservations, ReserveOptions } from "./reservations.ts";
export type { Room } from "./room.ts";
export type { RoomInfo } from "./room_info.ts";
export { connect, type Convene, join } from "./service.ts";
export type {
  Deleted,
  Edit,
  Entry,
  Failure,
  Gate,
  Place,
  State,
  StateFilter,
  Write,
  WriteOptions,
} from "./state.ts";
export type { NextOptions, NoneTaken, Taken, TaskFilter } from "./take.ts";
export type { Tasks } from "./tasks.ts";
export type { MadeToken, Role, Token, TokenOptions, Tokens } from "./tokens.ts";
export { VERSION } from "../version.ts";
export type { Include, Included, TimedOut, Triggered, UntilOptions } from "./until.ts";
export type { Handler, TaskLease, WorkerOptions } from "./worker.ts";
