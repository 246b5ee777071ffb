import type { Agent, Heartbeat, Registered, Registration, Status } from "./agents.ts";
import type { Actor, CallOptions, Connection } from "./connection.ts";
import { checkDone } from "./body.ts";
import { ConveneError, tokenLost } from "./errors.ts";
import { type Changes, followChanges, type FollowOptions } from "./follow.ts";
import type { Json, JsonObject, JsonOf } from "./json.ts";
import { acquire, type Lock, type LockOptions } from "./lock.ts";
import { Invites } from "./invites.ts";
import { madeAnew } from "./made.ts";
import { Messages } from "./messages.ts";
import { optionsOf } from "./options.ts";
import { Reservations } from "./reservations.ts";
import type { RoomInfo } from "./room_info.ts";
import { State } from "./state.ts";
import { Tasks } from "./tasks.ts";
import { Tokens } from "./tokens.ts";
import { type TimedOut, type Triggered, until, type UntilOptions } from "./until.ts";

/** A room. `agent` is the default for whoever posts, claims, writes and waits. */
export class Room {
  readonly state: State;
  readonly messages: Messages;
  readonly tasks: Tasks;
  readonly reservations: Reservations;
  readonly tokens: Tokens;
  readonly invites: Invites;
  readonly #path: string;

  constructor(readonly connection: Connection, readonly id: string, readonly agent?: string) {
    this.#path = `/rooms/${encodeURIComponent(id)}`;
    this.state = new State(connection, `${this.#path}/state`, agent);
    this.messages = new Messages(connection, this.#path, agent);
    this.tasks = new Tasks(this.messages);
    this.reservations = new Reservations(connection, this.#path, agent);
    this.tokens = new Tokens(connection, this.#path);
    this.invites = new Invites(connection, this.#path);
  }

  /** The token that calls send. */
  get token(): string | undefined {
    return this.connection.token;
  }

  /** The address of the room's live page. */
  get page(): string {
    return this.connection.address("/", { room: this.id });
  }

  /** The same room for another agent. A secure one needs its token. */
  as(agent: string, { token }: { token?: string } = {}): Room {
    return new Room(token === undefined ? this.connection : this.connection.with(token), this.id, agent);
  }

  async info(call: CallOptions = {}): Promise<RoomInfo> {
    return (await this.connection.get<RoomInfo>(this.#path, {}, call)).body;
  }

  /** Merges into the room's `meta` (RFC 7396): null removes a member. */
  async patch<M extends object>({ meta, signal }: { meta: M & JsonOf<M> } & CallOptions): Promise<RoomInfo> {
    return (await this.connection.write<RoomInfo>("PATCH", this.#path, { meta }, { signal })).body;
  }

  /**
   * Deletes the room, as an admin of a locked one or the operator. Returns whether it was there. A room of the same id
   * can be made when all of it is removed.
   */
  async delete(call: CallOptions = {}): Promise<boolean> {
    try {
      checkDone((await this.connection.write<object>("DELETE", this.#path, {}, call)).body, "deleted");
      return true;
    } catch (error) {
      // A repeated attempt finds it gone.
      if (error instanceof ConveneError && error.code === "room_not_found") return false;
      throw error;
    }
  }

  /**
   * Registers an agent. An existing one becomes active again; with `if_new` it fails with `agent_exists`. With `secure`
   * only the `token` of the answer can act as it: continue with `room.as(id, { token })`. Errors: `no_answer` where the
   * answer with the token was lost; without an id another agent takes its place.
   */
  async join<M extends object = JsonObject>(
    options: Registration<M & JsonOf<M>> & CallOptions = {},
  ): Promise<Registered> {
    const { signal, ...registration } = optionsOf(options, "join({ id, name })");
    const id = registration.id ?? this.agent;
    const body = { ...registration, id, name: registration.name ?? id ?? "agent" };
    type Told = Omit<Registered, "token"> & { token?: string | null };
    return await madeAnew<Registered>("token", async () => {
      const path = `${this.#path}/agents`;
      const { token, ...agent } = (await this.connection.write<Told>("POST", path, body, { signal })).body;
      if (token === undefined) return agent;
      if (token !== null) return { ...agent, token };
      if (id !== undefined) throw tokenLost("The agent is registered");
    });
  }

  /** Takes an agent off the roster, and ends its claims, reservations and waits. Returns whether it was there. */
  async leave(options: Actor = {}): Promise<boolean> {
    const { agent = this.agent, signal } = optionsOf(options, "leave({ agent })");
    const path = `${this.#path}/agents/${encodeURIComponent(agent ?? "")}`;
    return (await this.connection.write<{ left: boolean }>("DELETE", path, {}, { signal })).body.left;
  }

  /** The agents, in the order of joining. */
  async agents(call: CallOptions = {}): Promise<Agent[]> {
    return (await this.connection.list<Agent>(`${this.#path}/agents`, {}, call)).body;
  }

  /** Sets the status. Any other call of the agent counts as a heartbeat too. */
  async heartbeat(status: Status = "active", { agent = this.agent, signal }: Actor = {}): Promise<Heartbeat> {
    const path = `${this.#path}/agents/${encodeURIComponent(agent ?? "")}/heartbeat`;
    return (await this.connection.write<Heartbeat>("POST", path, { status }, { signal })).body;
  }

  /**
   * The changes after a revision, at most `limit` (default: 100). If there are more, continue from the answer's
   * `revision` and `began`.
   */
  async changes(
    { signal, ...query }: CallOptions & { after?: number; began?: number; limit?: number } = {},
  ): Promise<Changes> {
    return (await this.connection.get<Changes>(`${this.#path}/changes`, query, { signal })).body;
  }

  /**
   * Yields the changes after `after` (default: 0; `"now"`: only new ones), then each new change. If the room's revision
   * went back, as after a restore, yields changes with `reset`, then all from the start. Returns when the signal is
   * aborted.
   */
  follow(options: FollowOptions = {}): AsyncGenerator<Changes, void> {
    return followChanges(this.connection, this.#path, options);
  }

  /** Evaluates an expression over the room. */
  async eval<T = Json>(expr: string, { agent = this.agent, signal }: Actor = {}): Promise<T> {
    const path = `${this.#path}/eval`;
    return (await this.connection.ask<{ value: T }>(path, { expr, agent }, { signal })).body.value;
  }

  /** Waits until a condition is true, for hours if need be; with `timeout`, for at most so many milliseconds. */
  until(condition: string, options: UntilOptions & { timeout: number }): Promise<Triggered | TimedOut>;
  until(condition: string, options?: Omit<UntilOptions, "timeout">): Promise<Triggered>;
  until(condition: string, options: UntilOptions = {}): Promise<Triggered | TimedOut> {
    return until(this.connection, this.#path, condition, { ...options, agent: options.agent ?? this.agent });
  }

  /** Waits until a key is free, and holds it as a lock, renewed until it is released. */
  lock(key: string, options: LockOptions = {}): Promise<Lock> {
    return acquire(this.state, this.#path, key, options);
  }

  /**
   * Waits until `count` agents have reached the barrier of this name, which serves once. An agent counts once, and
   * still counts after it leaves.
   */
  async barrier(name: string, count: number, { agent = this.agent, signal }: Actor = {}): Promise<void> {
    if (!Number.isSafeInteger(count)) throw new TypeError(`count is a number of agents, not ${count}.`);
    if (agent === undefined) throw new TypeError("Who comes? Name an agent, in the room or in the call.");
    const key = `barrier:${name}`;
    await this.state.merge(key, { [agent]: true }, { agent, signal });
    await this.until(`state._shared[${JSON.stringify(key)}].size() >= ${count}`, { agent, signal });
  }
}
