import {
  type Claim,
  type ClaimOptions,
  type Completed,
  type Completion,
  type Failed,
  type Held,
  type Holder,
  refusedClaim,
  type Release,
  type Released,
  type Renewal,
  type TaskAttempt,
} from "./claim.ts";
import type { CallOptions, Connection } from "./connection.ts";
import { badAnswer } from "./errors.ts";
import { followAfter, type FollowOptions, revisionOf } from "./follow.ts";
import type { Json, JsonOf } from "./json.ts";
import type { Message, MessageFilter, MessagePage, Post, Posted } from "./message.ts";
import { optionsOf, parted } from "./options.ts";

const PAGE = 1_000;

/** The log of a room. */
export class Messages {
  constructor(readonly connection: Connection, readonly room: string, readonly agent: string | undefined) {}

  async post<T>(body: T & JsonOf<T>, { signal, ...options }: Post = {}): Promise<Posted> {
    const from = options.from ?? (options.from_agent === undefined ? this.agent : undefined);
    const sent = { ...options, from, body };
    return (await this.connection.write<Posted>("POST", this.#path(), sent, { signal })).body;
  }

  /** The messages that match, ids ascending. */
  async list<T = Json>(filter: MessagePage = {}): Promise<Message<T>[]> {
    optionsOf(filter, "list({ kind })");
    if (filter.limit !== undefined || filter.last !== undefined) {
      return (await this.#page<T>(filter)).messages;
    }
    const all: Message<T>[] = [];
    for await (const { messages } of this.#pages<T>(filter)) {
      all.push(...messages);
    }
    return all;
  }

  async get<T = Json>(id: number, call: CallOptions = {}): Promise<Message<T>> {
    return (await this.connection.get<Message<T>>(this.#path(`/${id}`), {}, call)).body;
  }

  /** Claims a message. At most one agent holds it at a time. Claiming again what you hold renews the claim. */
  claim(id: number, options: ClaimOptions = {}): Promise<Claim> {
    return this.#act<Held>(id, "claim", options).catch(refusedClaim);
  }

  /** Makes your claim end `ttl` seconds from now. Errors: `lease_lost`, as of the next three methods. */
  renew(id: number, options: Renewal): Promise<Held> {
    return this.#act(id, "renew", options);
  }

  /** Gives a claimed message back: it is open again, or failed after the last of its attempts. */
  release(id: number, options: Release = {}): Promise<Released> {
    return this.#act(id, "release", options);
  }

  /** Ends a claimed message as done. Repeated by the same agent with the same fence, it has the first answer. */
  complete<T = Json>(id: number, options: Completion<T> = {}): Promise<Completed> {
    return this.#act(id, "complete", options);
  }

  /** Ends a claimed message as failed, whatever is left of its attempts; or withdraws a posted one. */
  fail(id: number, options: Release = {}): Promise<Failed> {
    return this.#act(id, "fail", options);
  }

  /** The claims of a message, the latest 1,000, oldest first. */
  async attempts(id: number, call: CallOptions = {}): Promise<TaskAttempt[]> {
    return (await this.connection.list<TaskAttempt>(this.#path(`/${id}/attempts`), {}, call)).body;
  }

  /**
   * Yields the messages that match after `after` (default: 0; `"now"`: only new ones), then each new one, once each,
   * ids ascending. Reconnects when the service restarts. Returns when the signal is aborted. If the room's
   * revision went back, as after a restore, it starts again with the first message.
   */
  async *follow<T = Json>(
    { after = 0, ...filter }: Omit<MessageFilter, "after"> & FollowOptions = {},
  ): AsyncGenerator<Message<T>, void> {
    const { signal } = filter;
    try {
      let seen = after === "now"
        ? await revisionOf(this.connection, this.room, signal)
        : yield* this.#after<T>(filter, after);
      for await (const { messages, reset } of followAfter(this.connection, this.room, seen, signal)) {
        // Reads the list and not the change set, since the list is filtered and ordered by id.
        if (reset) seen = 0;
        if (messages.some(({ id }) => id > seen)) seen = yield* this.#after<T>(filter, seen, Infinity);
      }
    } catch (error) {
      if (!signal?.aborted) throw error;
    }
  }

  /** Yields the messages after an id. Returns the revision that they reflect: ids are revisions. */
  async *#after<T>(
    filter: MessageFilter,
    seen: number,
    patience?: number,
  ): AsyncGenerator<Message<T>, number> {
    const pages = this.#pages<T>({ ...filter, after: seen }, { patience, later: Infinity });
    for await (const { messages, revision } of pages) {
      yield* messages;
      seen = Math.max(seen, revision);
    }
    return seen;
  }

  /** `patience`: that of the first page; `later`: of each further page. Default: the connection's. */
  async *#pages<T>(
    filter: MessageFilter,
    { patience, later }: { patience?: number; later?: number } = {},
  ): AsyncGenerator<{ messages: Message<T>[]; revision: number }> {
    for (let { after } = filter;; patience = later) {
      const page = await this.#page<T>({ ...filter, after, limit: PAGE }, patience);
      const next = page.messages.at(-1)?.id;
      // Ids rise, so that reading ends.
      if (page.more && !(typeof next === "number" && next > (after ?? 0))) {
        throw badAnswer("The answer is a list that goes on and gets no further.");
      }
      yield page;
      if (!page.more) return;
      after = next!;
    }
  }

  async #page<T>({ signal, ...query }: MessagePage, patience?: number) {
    const { body, headers, revision } = await this.connection.list<Message<T>>(
      this.#path(),
      query,
      { signal, patience },
    );
    return { messages: body, more: headers.has("Link"), revision };
  }

  async #act<A>(id: number, what: string, options: Holder): Promise<A> {
    const [call, sent] = parted(options, this.agent);
    return (await this.connection.write<A>("POST", this.#path(`/${id}/${what}`), sent, call)).body;
  }

  #path = (rest = "") => `${this.room}/messages${rest}`;
}
