import type { Actor, Call, CallOptions, Connection } from "./connection.ts";
import { ConveneError } from "./errors.ts";
import type { Json, JsonOf } from "./json.ts";
import { optionsOf, parted } from "./options.ts";

/** An entry: a key with its value, or a view (scope `_view`), which also has `expr`. */
export interface Entry<T = Json> {
  room_id: string;
  scope: string;
  key: string;
  value: T;
  /** The number of the key's writes: 1, 2, 3, ... */
  version: number;
  updated_at: string;
  updated_by?: string | null;
  /** True if that agent acted under its token. */
  verified_by?: boolean;
  /** When it is deleted; null for one that stays. */
  expires_at?: string | null;
  expr?: string;
  /** Of a view: the agent that defined it, with whose eyes it is evaluated; null for everybody's. */
  as?: string | null;
  resolved_value?: T | null;
  /** Why a view has no value. */
  error?: Failure;
}

/** A deleted key in lists of changes. */
export interface Deleted {
  scope: string;
  key: string;
  deleted: true;
  version: number;
  updated_at: string;
}

export interface Failure {
  code: string;
  message: string;
  hint?: string;
}

export interface Place {
  /** Default: `_shared`. */
  scope?: string;
  key: string;
}

/** Changes inside a value, by JSON pointers (RFC 6901), at most 20: first what is set, in its order. */
export interface Edit {
  /** On a list an index replaces; the index of its length, and `-`, append. Missing parents are not created. */
  set?: Record<string, unknown>;
  unset?: string[];
}

/** A write: a `value`, an `increment`, the `expr` of a view, or an edit of the present value. */
export interface Write<T = Json> extends Place, Edit {
  value?: T;
  increment?: boolean | number;
  expr?: string;
  /** A JSON merge patch (RFC 7396) of an object. A missing key counts as `{}`. */
  merge?: unknown;
  /** Appended to a list. A missing key counts as `[]`. */
  append?: unknown;
  append_all?: unknown[];
  /** Every element of a list that equals it is removed. */
  remove?: unknown;
  /** Seconds after which the key is deleted: 1 to 2,592,000. A write without it clears that of an earlier one. */
  ttl?: number;
  /** Fails with `version_conflict` unless the entry has this version; 0: unless there is none. */
  if_version?: number;
}

export interface Gate extends Call, Actor {
  /** A CEL condition that must be true in the state to which the write applies. */
  if?: string;
}

/** Options of the write of one entry. */
export type WriteOptions = Gate & Pick<Write, "scope" | "if_version" | "ttl">;

export interface StateFilter extends CallOptions {
  scope?: string;
  /** Only keys that begin with this. */
  prefix?: string;
  /** Only entries that changed after this revision, including deleted keys; all, if the room's revision is lower. */
  since?: number;
  /** Includes the present values of views. */
  resolve?: boolean;
}

/** The state of a room. Refused writes throw: `version_conflict`, `precondition_failed`, ... */
export class State {
  constructor(readonly connection: Connection, readonly path: string, readonly agent: string | undefined) {}

  /** Writes a value. */
  put<T>(key: string, value: T & JsonOf<T>, options: WriteOptions = {}): Promise<Entry> {
    return this.#put({ key, value }, options);
  }

  /** Adds to a number. A missing key counts as 0. */
  increment(key: string, by = 1, options: WriteOptions = {}): Promise<Entry<number>> {
    return this.#put({ key, increment: by }, options) as Promise<Entry<number>>;
  }

  /** Merges into an object (RFC 7396): null removes a member. A missing key counts as `{}`. */
  merge<T extends object>(key: string, patch: T & JsonOf<T>, options: WriteOptions = {}): Promise<Entry> {
    return this.#put({ key, merge: patch }, options);
  }

  /** Appends a value to a list. A missing key counts as `[]`. */
  append<T>(key: string, value: T & JsonOf<T>, options: WriteOptions = {}): Promise<Entry> {
    return this.#put({ key, append: value }, options);
  }

  /** Appends several values to a list. */
  appendAll<T>(key: string, values: T[] & JsonOf<T>[], options: WriteOptions = {}): Promise<Entry> {
    return this.#put({ key, append_all: values }, options);
  }

  /** Removes every element of a list that equals the value. If there is none, nothing is written. */
  remove<T>(key: string, value: T & JsonOf<T>, options: WriteOptions = {}): Promise<Entry> {
    return this.#put({ key, remove: value }, options);
  }

  /** Sets and unsets parts of a value. Errors: `not_editable` where a pointer leads to nothing. */
  edit(key: string, { set, unset }: Edit, options: WriteOptions = {}): Promise<Entry> {
    return this.#put({ key, set, unset }, options);
  }

  /**
   * Defines a view: an expression that is evaluated whenever it is read, as `state._view.<key>` in CEL. `if_version`
   * 0: unless there is one of this name.
   */
  view(key: string, expr: string, options: Gate & { if_version?: number } = {}): Promise<Entry> {
    return this.#put({ scope: "_view", key, expr }, options);
  }

  /** Makes up to 20 writes atomically, behind one gate. */
  async batch<T extends unknown[]>(
    writes: { [I in keyof T]: Write<T[I] & JsonOf<T[I]>> },
    options: Gate = {},
  ): Promise<Entry[]> {
    return (await this.#write<{ state: Entry[] }>("PUT", "/batch", { writes }, options)).state;
  }

  /** The entry, or undefined where there is none. `resolve`: includes the present value of a view. */
  async get<T = Json>(
    key: string,
    options: CallOptions & { scope?: string; resolve?: boolean } = {},
  ): Promise<Entry<T> | undefined> {
    const { signal, ...query } = optionsOf(options, "get(key, { scope })");
    try {
      return (await this.connection.get<Entry<T>>(this.path, { key, ...query }, { signal })).body;
    } catch (error) {
      if (error instanceof ConveneError && error.code === "key_not_found") {
        return undefined;
      }
      throw error;
    }
  }

  /** The entries, ordered by scope and key. Includes deleted ones only with `since`. */
  list(filter: StateFilter & { since: number }): Promise<Array<Entry | Deleted>>;
  list(filter?: StateFilter): Promise<Entry[]>;
  async list(filter: StateFilter = {}): Promise<Array<Entry | Deleted>> {
    const { signal, ...query } = optionsOf(filter, "list({ scope })");
    return (await this.connection.list<Entry>(this.path, query, { signal })).body;
  }

  /** Deletes an entry. Returns whether there was one. */
  async delete(key: string, options: Omit<WriteOptions, "ttl"> = {}): Promise<boolean> {
    return (await this.#write<{ deleted: boolean }>("DELETE", "", { key }, options)).deleted;
  }

  #put(write: Write<unknown>, options: WriteOptions): Promise<Entry> {
    return this.#write<Entry>("PUT", "", write, options);
  }

  async #write<A>(method: "PUT" | "DELETE", rest: string, sent: object, options: Gate): Promise<A> {
    const [call, gate] = parted(options, this.agent);
    return (await this.connection.write<A>(method, this.path + rest, { ...gate, ...sent }, call)).body;
  }
}
