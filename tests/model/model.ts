/**
 * What API.md says of one room, written down a second time and as simply as it can be. It imports nothing from
 * the sources. Times are left out of what it expects.
 */
export type Value = number | string | null;
export type Gate = { key: string; equals: number };
export interface Write {
  scope: string;
  key: string;
  value?: Value;
  increment?: number;
  if_version?: number;
}
export type Action =
  | { kind: "put"; write: Write; gate?: Gate }
  | { kind: "batch"; writes: Write[]; gate?: Gate }
  | { kind: "delete"; scope: string; key: string; if_version?: number; gate?: Gate }
  | { kind: "view"; key: string; of: string }
  | { kind: "read"; scope: string; key: string; resolve: boolean }
  | { kind: "list"; scope?: string; since?: number; prefix?: string }
  | { kind: "post"; body: Value; reply?: number }
  | { kind: "messages"; after?: number; unclaimed: boolean; thread?: number }
  | { kind: "claim"; message: number; agent: string }
  | { kind: "register"; agent: string }
  | { kind: "heartbeat"; agent: string; status: string }
  | { kind: "eval"; gate: Gate }
  | { kind: "wait"; gate: Gate };

export interface Expected {
  status: number;
  /** The members that the answer must have, or for a list all its items so. */
  body: unknown;
}

interface Entry {
  scope: string;
  key: string;
  value: Value;
  version: number;
  changed: number;
  deleted: boolean;
  of?: string;
}
interface Message {
  id: number;
  body: Value;
  reply_to: number | null;
  claimed_by: string | null;
}

/** The CEL source of a gate, a view or a condition. */
export const read = (key: string) => `state._shared.?${key}.orValue(0)`;
export const source = (gate: Gate) => `${read(gate.key)} == ${gate.equals}`;

export class Model {
  revision = 0;
  messages: Message[] = [];
  private entries = new Map<string, Entry>();
  private agents = new Map<string, string>();

  /** What the service must answer to an action, which is done. */
  apply(action: Action): Expected {
    switch (action.kind) {
      case "put":
        return this.write([action.write], action.gate, false);
      case "batch":
        return this.write(action.writes, action.gate, true);
      case "delete":
        return this.remove(action);
      case "view":
        return this.view(action.key, action.of);
      case "read":
        return this.one(action.scope, action.key, action.resolve);
      case "list":
        return this.list(action);
      case "post":
        return this.post(action.body, action.reply);
      case "messages":
        return this.listMessages(action);
      case "claim":
        return this.claim(action.message, action.agent);
      case "register":
        return this.register(action.agent);
      case "heartbeat":
        return this.heartbeat(action.agent, action.status);
      case "eval":
        return { status: 200, body: { value: this.holds(action.gate) } };
      case "wait":
        return { status: 200, body: { triggered: this.holds(action.gate) } };
    }
  }

  /** The id of the nth message posted, or one that no message has. */
  messageId(index: number): number {
    return this.messages[index]?.id ?? 1_000_000;
  }

  private valueOf(key: string): Value {
    const entry = this.present("_shared", key);
    return entry ? entry.value : 0;
  }

  private holds(gate: Gate): boolean {
    return this.valueOf(gate.key) === gate.equals;
  }

  private present(scope: string, key: string, among = this.entries): Entry | undefined {
    const entry = among.get(`${scope}/${key}`);
    return entry?.deleted ? undefined : entry;
  }

  private shown(entry: Entry, resolve = false): Record<string, unknown> {
    const { scope, key, version, value, of } = entry;
    if (entry.deleted) return { scope, key, version, deleted: true };
    if (of === undefined) return { scope, key, version, value };
    return { scope, key, version, value: resolve ? this.valueOf(of) : null, expr: read(of) };
  }

  private write(writes: Write[], gate: Gate | undefined, batch: boolean): Expected {
    if (gate && !this.holds(gate)) {
      return { status: 409, body: { error: "precondition_failed", evaluated: false } };
    }
    const after = new Map(this.entries);
    const written: unknown[] = [];
    for (const [index, write] of writes.entries()) {
      const { scope, key } = write;
      const now = this.present(scope, key, after);
      // Nothing was written, so what a batch's own writes made of the entry is not what is there.
      const stored = this.present(scope, key);
      const refuse = (error: string) => ({
        status: 409,
        body: { error, current: stored ? this.shown(stored) : null, ...(batch && { index }) },
      });
      if (write.if_version !== undefined && write.if_version !== (now?.version ?? 0)) {
        return refuse("version_conflict");
      }
      if (write.increment !== undefined && now && typeof now.value !== "number") {
        return refuse("not_a_number");
      }
      const value = write.increment === undefined
        ? write.value!
        : (now ? now.value as number : 0) + write.increment;
      const version = (after.get(`${scope}/${key}`)?.version ?? 0) + 1;
      const entry = { scope, key, value, version, changed: this.revision + 1, deleted: false };
      after.set(`${scope}/${key}`, entry);
      written.push(this.shown(entry));
    }
    this.entries = after;
    this.revision++;
    return { status: 200, body: batch ? { ok: true, count: writes.length, state: written } : written[0] };
  }

  private remove({ scope, key, if_version, gate }: Extract<Action, { kind: "delete" }>): Expected {
    if (gate && !this.holds(gate)) {
      return { status: 409, body: { error: "precondition_failed", evaluated: false } };
    }
    const now = this.present(scope, key);
    if (if_version !== undefined && if_version !== (now?.version ?? 0)) {
      return { status: 409, body: { error: "version_conflict", current: now ? this.shown(now) : null } };
    }
    if (!now) return { status: 200, body: { deleted: false } };
    this.revision++;
    this.entries.set(`${scope}/${key}`, {
      ...now,
      version: now.version + 1,
      changed: this.revision,
      deleted: true,
    });
    return { status: 200, body: { deleted: true } };
  }

  private view(key: string, of: string): Expected {
    const version = (this.entries.get(`_view/${key}`)?.version ?? 0) + 1;
    this.revision++;
    const entry = { scope: "_view", key, value: null, version, changed: this.revision, deleted: false, of };
    this.entries.set(`_view/${key}`, entry);
    return { status: 200, body: { ...this.shown(entry, true), resolved_value: this.valueOf(of) } };
  }

  private one(scope: string, key: string, resolve: boolean): Expected {
    const entry = this.present(scope, key);
    if (!entry) return { status: 404, body: { error: "key_not_found" } };
    return { status: 200, body: this.shown(entry, resolve) };
  }

  private list({ scope, since, prefix = "" }: Extract<Action, { kind: "list" }>): Expected {
    const body = [...this.entries.entries()]
      .sort(([a], [b]) => a < b ? -1 : 1)
      .map(([, entry]) => entry)
      .filter((entry) => scope === undefined || entry.scope === scope)
      .filter((entry) => entry.key.startsWith(prefix))
      .filter((entry) => since === undefined ? !entry.deleted : entry.changed > since)
      .map((entry) => this.shown(entry));
    return { status: 200, body };
  }

  private post(body: Value, reply?: number): Expected {
    const reply_to = reply === undefined ? null : this.messageId(reply);
    if (reply !== undefined && !this.messages[reply]) {
      return { status: 404, body: { error: "message_not_found" } };
    }
    const message = { id: ++this.revision, body, reply_to, claimed_by: null };
    this.messages.push(message);
    return { status: 201, body: { ...message } };
  }

  private listMessages({ after, unclaimed, thread }: Extract<Action, { kind: "messages" }>): Expected {
    const within = new Set<number>();
    if (thread !== undefined) {
      within.add(this.messageId(thread));
      for (const { id, reply_to } of this.messages) if (within.has(reply_to ?? 0)) within.add(id);
    }
    const body = this.messages
      .filter((message) => after === undefined || message.id > after)
      .filter((message) => !unclaimed || message.claimed_by === null)
      .filter((message) => thread === undefined || within.has(message.id))
      .map((message) => ({ ...message }));
    return { status: 200, body };
  }

  private claim(index: number, agent: string): Expected {
    const message = this.messages[index];
    if (!message) return { status: 404, body: { error: "message_not_found" } };
    if (message.claimed_by !== null && message.claimed_by !== agent) {
      return { status: 409, body: { error: "already_claimed", claimed_by: message.claimed_by } };
    }
    if (message.claimed_by === null) this.revision++;
    message.claimed_by = agent;
    return { status: 200, body: { claimed: true, claimed_by: agent, message_id: message.id } };
  }

  private register(id: string): Expected {
    const status = this.agents.has(id) ? 200 : 201;
    this.agents.set(id, "active");
    this.revision++;
    return { status, body: { id, name: id, status: "active", waiting_on: null } };
  }

  private heartbeat(agent: string, status: string): Expected {
    const now = this.agents.get(agent);
    if (now === undefined) return { status: 404, body: { error: "agent_not_found" } };
    if (now !== status) this.revision++;
    this.agents.set(agent, status);
    return { status: 200, body: { ok: true, agent, status } };
  }
}
