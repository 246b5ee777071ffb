import { ByName, type Loaded } from "../language/by_name.ts";
import { FAMILIES, type Family } from "../language/families.ts";
import { toCel } from "../language/values.ts";
import { COLUMNS, toMessage } from "../../db/messages/message.ts";
import type { Json } from "../../db/json.ts";
import type { MessageFact, MessageFacts } from "../../db/snapshots/message_facts.ts";
import { isBusy, yieldToOthers } from "../../db/yield.ts";

type Members = ReadonlyMap<string, unknown>;

/** The loaded facts about messages, as CEL values. */
export interface CelFacts {
  last: number | undefined;
  families: Readonly<Record<Family, ReadonlyMap<string | number, Members | undefined>>>;
}

/** Converts facts to CEL values, and yields in between. */
export async function convertFacts(facts: MessageFacts): Promise<CelFacts> {
  const messages = new Map<number, Members | undefined>();
  for (const [id, message] of facts.id) {
    if (isBusy()) await yieldToOthers();
    messages.set(id, message && membersOf(message));
  }
  return withMessages(facts, messages);
}

/** The same without yielding. */
export function celFacts(facts: MessageFacts): CelFacts {
  const messages = [...facts.id].map(([id, message]) => [id, message && membersOf(message)] as const);
  return withMessages(facts, new Map(messages));
}

function membersOf(message: MessageFact): Members {
  return toCel(message as unknown as Json) as Members;
}

function withMessages({ last, kind, to, from }: MessageFacts, id: CelFacts["families"]["id"]): CelFacts {
  const newest = (ids: ReadonlyMap<string, number>) =>
    new Map([...ids].map(([name, last]) => [name, new Map([["last", last]])]));
  const kinds = new Map([...kind].map(([name, counts]) => [name, new Map(Object.entries(counts))]));
  return { last, families: { kind: kinds, to: newest(to), from: newest(from), id } };
}

const NO_LAST: Members = new Map([["last", 0]]);
const NO_KIND: Members = new Map(
  ["count", "last", "open", "blocked", "claimed", "done", "failed"].map((name) => [name, 0]),
);
/** In place of a message that is not loaded: the evaluation continues with it, to find out what else it needs. */
const NO_MESSAGE = toCel({
  ...toMessage({
    ...Object.fromEntries(COLUMNS.map((column) => [column, null])),
    ...{ room_id: "", kind: "", created_at: "", body: "null" },
  }) as unknown as { [member: string]: Json },
  status: "",
  result: null,
  replies: { count: 0, last: 0 },
}) as Members;

const ABSENT = { kind: NO_KIND, to: NO_LAST, from: NO_LAST, id: undefined };

/** Requests that a record be loaded, by its family and name. */
export type Ask = (family: Family, name: string | number) => void;

/** Makes the root `messages`: as a whole the two counts, with members that a path reads. */
export function messageRoot(
  counts: { count: number; unclaimed: number },
  { last, families }: CelFacts,
  ask: Ask,
): Map<string, unknown> {
  const byName = (Object.keys(FAMILIES) as Family[]).map((family): [string, unknown] => {
    const known = families[family];
    const loaded: Loaded = {
      get: (name) => known.get(name),
      has: (name) => known.has(name),
      absent: ABSENT[family],
      placeholder: ABSENT[family] ?? NO_MESSAGE,
      ask: (name) => ask(family, name),
    };
    return [family, new ByName(family, loaded)];
  });
  return new Messages(counts, new Map([...byName, ["last", last]]));
}

/** A Map with further members, which are not among its entries. */
class Messages extends Map<string, unknown> {
  readonly #further: ReadonlyMap<string, unknown>;

  constructor(counts: { count: number; unclaimed: number }, further: ReadonlyMap<string, unknown>) {
    super(Object.entries(counts));
    this.#further = further;
  }

  override get(name: string): unknown {
    return super.get(name) ?? this.#further.get(name);
  }

  override has(name: string): boolean {
    return this.get(name) !== undefined;
  }
}

// The language recognises a type by its constructor.
Object.defineProperty(Messages.prototype, "constructor", { value: Map });
