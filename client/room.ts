import type { Agent, Heartbeat, Registered, Registration, Status } from "./agents.ts";
import type { CallOptions, Connection } from "./connection.ts";
import { type Changes, followChanges, type FollowOptions } from "./follow.ts";
import type { Json, JsonObject, JsonOf } from "./json.ts";
import { Messages } from "./messages.ts";
import { State } from "./state.ts";
import { type TimedOut, type Triggered, until, type UntilOptions } from "./until.ts";

export interface RoomInfo {
  id: string;
  created_at: string;
  meta: JsonObject;
}

/** Options of a call by an agent. */
export interface Actor extends CallOptions {
  /** Default: the `Room`'s agent. */
  agent?: string;
}

/** A room. `agent` is the default for whoever posts, claims, writes and waits. */
export class Room {
  readonly state: State;
  readonly messages: Messages;
  readonly #path: string;

  constructor(readonly connection: Connection, readonly id: string, readonly agent?: string) {
    this.#path = `/rooms/${encodeURIComponent(id)}`;
    this.state = new State(connection, `${this.#path}/state`, agent);
    this.messages = new Messages(connection, this.#path, agent);
  }

  /** The address of the room's live page. */
  get page(): string {
    return this.connection.address("/", { room: this.id });
  }

  /** The same room for another agent. */
  as(agent: string): Room {
    return new Room(this.connection, this.id, agent);
  }

  async info(call: CallOptions = {}): Promise<RoomInfo> {
    return (await this.connection.get<RoomInfo>(this.#path, {}, call)).body;
  }

  /** Registers an agent. An existing one becomes active again; with `if_new` it fails with `agent_exists`. */
  async join<M extends object = JsonObject>(
    { signal, ...registration }: Registration<M & JsonOf<M>> & CallOptions = {},
  ): Promise<Registered> {
    const id = registration.id ?? this.agent;
    const body = { name: id ?? "agent", ...registration, id };
    return (await this.connection.write<Registered>("POST", `${this.#path}/agents`, body, { signal })).body;
  }

  /** The agents, in the order of joining. */
  async agents(call: CallOptions = {}): Promise<Agent[]> {
    return (await this.connection.get<Agent[]>(`${this.#path}/agents`, {}, call)).body;
  }

  /** Sets the status. Any other call of the agent counts as a heartbeat too. */
  async heartbeat(status: Status = "active", { agent = this.agent, signal }: Actor = {}): Promise<Heartbeat> {
    const path = `${this.#path}/agents/${encodeURIComponent(agent ?? "")}/heartbeat`;
    return (await this.connection.write<Heartbeat>("POST", path, { status }, { signal })).body;
  }

  /** The changes after a revision, at most `limit` (default: 100). Continue from the answer's `revision`. */
  async changes(
    { signal, ...query }: CallOptions & { after?: number; limit?: number } = {},
  ): Promise<Changes> {
    return (await this.connection.get<Changes>(`${this.#path}/changes`, query, { signal })).body;
  }

  /**
   * Yields the changes after `after` (default: 0; `"now"`: only new ones), then each new change. Where the room went
   * back, as after a restore, yields changes with `reset`, then all from the start. Returns when the signal is aborted.
   */
  follow(options: FollowOptions = {}): AsyncGenerator<Changes, void> {
    return followChanges(this.connection, this.#path, options);
  }

  /** Evaluates an expression over the room. */
  async eval<T = Json>(expr: string, { agent = this.agent, signal }: Actor = {}): Promise<T> {
    return (await this.connection.ask<{ value: T }>(`${this.#path}/eval`, {
      expr,
      agent,
    }, { signal })).body.value;
  }

  /** Waits until a condition is true, for hours if need be; with `timeout`, for at most so many milliseconds. */
  until(condition: string, options: UntilOptions & { timeout: number }): Promise<Triggered | TimedOut>;
  until(condition: string, options?: Omit<UntilOptions, "timeout">): Promise<Triggered>;
  until(condition: string, options: UntilOptions = {}): Promise<Triggered | TimedOut> {
    return until(this.connection, this.#path, condition, { agent: this.agent, ...options });
  }
}
