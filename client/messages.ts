import type { CallOptions, Connection } from "./connection.ts";
import { ConveneError } from "./errors.ts";
import { followAfter, type FollowOptions, revisionOf } from "./follow.ts";
import type { Json, JsonOf } from "./json.ts";
import type { Message, MessageFilter, MessagePage, Post } from "./message.ts";

/** Who holds the message: the caller if `claimed`, else another agent. */
export type Claim =
  | { claimed: true; claimed_by: string; message_id: number }
  | { claimed: false; claimed_by: string; claimed_at: string };

const PAGE = 1_000;

/** The log of a room. */
export class Messages {
  constructor(readonly connection: Connection, readonly room: string, readonly agent: string | undefined) {}

  async post<T>(body: T & JsonOf<T>, { signal, ...options }: Post = {}): Promise<Message> {
    const from = options.from_agent === undefined ? this.agent : undefined;
    const sent = { from, ...options, body };
    return (await this.connection.write<Message>("POST", this.#path(), sent, { signal })).body;
  }

  /** The messages that match, ids ascending. */
  async list<T = Json>(filter: MessagePage = {}): Promise<Message<T>[]> {
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

  /** Claims a message. Exactly one claimant gets it; claiming one's own message again succeeds. */
  async claim(
    id: number,
    { agent = this.agent, signal }: CallOptions & { agent?: string } = {},
  ): Promise<Claim> {
    try {
      const path = this.#path(`/${id}/claim`);
      return (await this.connection.write<Claim>("POST", path, { agent }, { signal })).body;
    } catch (error) {
      if (!(error instanceof ConveneError && error.code === "already_claimed")) throw error;
      const { claimed_by, claimed_at } = error.body as { claimed_by: string; claimed_at: string };
      return { claimed: false, claimed_by, claimed_at };
    }
  }

  /**
   * Yields the messages that match after `after` (default: 0; `"now"`: only new ones), then each new one, once each,
   * ids ascending. Reconnects when the service restarts. Returns when the signal is aborted. Where the room went back,
   * as after a restore, it begins again with the first message.
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
      yield page;
      if (!page.more) return;
      after = page.messages.at(-1)!.id;
    }
  }

  async #page<T>({ signal, ...query }: MessagePage, patience?: number) {
    const { body, headers, revision } = await this.connection.get<Message<T>[]>(
      this.#path(),
      query,
      { signal, patience },
    );
    return { messages: body, more: headers.has("Link"), revision };
  }

  #path = (rest = "") => `${this.room}/messages${rest}`;
}
