import { charge } from "./budget.ts";
import { ComputedMap } from "./computed_map.ts";
import { typeName } from "./describe.ts";
import { EvaluationFailed } from "./errors.ts";
import { noteLookup, noteMissing } from "./lookups.ts";
import type { Family } from "./families.ts";
import { integral } from "./std/numbers.ts";

type Members = ReadonlyMap<string, unknown>;

/** The loaded records of a family. */
interface Loaded {
  /** The records by name; undefined where a name was loaded that has none. */
  readonly known: ReadonlyMap<string | number, Members | undefined>;
  /** The value for a name without a record, and for `null`; undefined if such a name is no member. */
  readonly absent: Members | undefined;
  /** The value in place of a record that is not loaded, in an evaluation that is repeated. */
  readonly placeholder: Members;
  /** Requests that a name is loaded. */
  ask(name: string | number): void;
}

/** `messages.kind` or another family: a map that is read by name only. It requests what is not loaded. */
export function byName(family: Family, { known, absent, placeholder, ask }: Loaded): ComputedMap {
  const whole = () => {
    const message = `messages.${family} is read by name only`;
    throw new EvaluationFailed("no_such_key", message, undefined, byNameHint(family));
  };
  return new ComputedMap({
    get(key) {
      charge(1);
      const name = nameOf(family, key);
      if (name === undefined) return key === null ? absent : undefined;
      if (!noteLookup(family, name)) return placeholder;
      if (known.has(name)) return known.get(name) ?? absent;
      ask(name);
      noteMissing();
      return placeholder;
    },
    problemOf(key) {
      const isId = integral(key) !== undefined || typeof key === "number";
      if (key === null || (family === "id" ? isId : typeof key === "string")) return undefined;
      return misnamed(family, typeName(key));
    },
    keys: whole,
    size: whole,
  });
}

function nameOf(family: Family, key: unknown): string | number | undefined {
  if (family !== "id") return typeof key === "string" ? key : undefined;
  const id = Number(integral(key) ?? 0n);
  return id > 0 && Number.isSafeInteger(id) ? id : undefined;
}

/** The fault of a name of this type. */
export function misnamed(family: Family, type: string): string {
  return `messages.${family} is read by ${family === "id" ? "a message's number" : "text"}, not by a ${type}`;
}

/** The ways to read a family. */
export function byNameHint(family: Family): string {
  return family === "id"
    ? "Name a message: `messages.id[7].status`, `has(messages.id[7])`."
    : `Name one: ${EXAMPLES[family]}.`;
}

const EXAMPLES = {
  kind: "`messages.kind.task.open`, `messages.kind[k].done`",
  to: "`messages.to[self].last`",
  from: "`messages.from.alice.last`",
};
