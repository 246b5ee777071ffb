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
export type { Agent, Heartbeat, Registered, Registration, Status } from "./agents.ts";
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
export type { Answer, Call, CallOptions, Connection, ConnectOptions, Query } from "./connection.ts";
export { ConveneError, type ErrorDetails } from "./errors.ts";
export type { After, Changed, Changes, FollowOptions } from "./follow.ts";
export type { Json, JsonObject, JsonOf } from "./json.ts";
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
export type { Actor, Room, RoomInfo } from "./room.ts";
export { connect, type Convene } from "./service.ts";
export type {
  Deleted,
  Entry,
  Failure,
  Gate,
  Place,
  State,
  StateFilter,
  Write,
  WriteOptions,
} from "./state.ts";
export { VERSION } from "../version.ts";
export type { Include, Included, TimedOut, Triggered, UntilOptions } from "./until.ts";
