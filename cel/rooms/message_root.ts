import { byName } from "../language/by_name.ts";
import { ComputedMap } from "../language/computed_map.ts";
import { type Family, FAMILY_NAMES } from "../language/families.ts";
import { toCel } from "../language/values.ts";
import { COLUMNS, toMessage } from "../../db/messages/message.ts";
import type { Json } from "../../db/json.ts";
import { KIND_COUNTS, type MessageFact, type MessageFacts } from "../../db/snapshots/message_facts.ts";
import { mapYielding } from "../../db/yield.ts";

type Members = ReadonlyMap<string, unknown>;

/** The loaded facts about messages, as CEL values. */
export interface CelFacts {
  last: number | undefined;
  families: Readonly<Record<Family, ReadonlyMap<string | number, Members | undefined>>>;
}

/** Converts facts to CEL values, and yields in between. */
export async function convertFacts({ last, kind, to, from, id }: MessageFacts): Promise<CelFacts> {
  const messages = await mapYielding([...id], toMembers);
  const newest = (ids: ReadonlyMap<string, number>) =>
    new Map([...ids].map(([name, last]) => [name, new Map([["last", last]])]));
  const kinds = new Map([...kind].map(([name, counts]) => [name, new Map(Object.entries(counts))]));
  return { last, families: { kind: kinds, to: newest(to), from: newest(from), id: new Map(messages) } };
}

function toMembers([id, message]: [number, MessageFact | undefined]): [number, Members | undefined] {
  return [id, message && toCel(message as unknown as Json) as Members];
}

const NO_LAST: Members = new Map([["last", 0]]);
const NO_KIND: Members = new Map(KIND_COUNTS.map((name) => [name, 0]));
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

/**
 * Makes the root `messages`: as a whole the two counts, with members that a path reads. `ask` requests that a record of a
 * family be loaded.
 */
export function messageRoot(
  counts: { count: number; unclaimed: number },
  { last, families }: CelFacts,
  ask: (family: Family, name: string | number) => void,
): Map<string, unknown> {
  const further = new Map<unknown, unknown>([["last", last]]);
  for (const family of FAMILY_NAMES) {
    const loaded = {
      known: families[family],
      absent: ABSENT[family],
      placeholder: ABSENT[family] ?? NO_MESSAGE,
      ask: (name: string | number) => ask(family, name),
    };
    further.set(family, byName(family, loaded));
  }
  const whole = new Map(Object.entries(counts));
  return new ComputedMap({
    get: (name) => whole.get(name as string) ?? further.get(name),
    keys: () => whole.keys(),
    size: () => whole.size,
  });
}
