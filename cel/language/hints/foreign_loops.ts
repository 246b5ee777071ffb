import { synonyms } from "./synonyms.ts";

/** CEL's macros for methods that take a function; `end` follows the call. */
export const LOOPS = synonyms<[macro: string, end?: string]>([
  [["exists"], "exists", "some", "any"],
  [["all"], "all", "every"],
  [["filter"], "filter", "where"],
  [["filter", ".first().orValue(null)"], "find"],
  [["filter", ".size()"], "count"],
  [["map"], "map", "forEach", "select"],
  [["map", ".flatten()"], "flatMap"],
]);

/** The macros that also take an index. */
const TWO_VARIABLES: Readonly<Record<string, string>> = {
  exists: "exists",
  all: "all",
  map: "transformList",
};

/** The call of a method and the parameter of its function, before an arrow. */
const CALL_BEFORE = /\.(\w+)\(\s*\(?\s*(\w+)\s*$|\.(\w+)\(\s*\(\s*(\w+)\s*\)\s*$/;

/** The hint for an arrow function, `.some(e => ...)`. `left`: the source before the arrow, which `token` ends with. */
export function arrow({ left, token }: { left: string; token: string }): string {
  const call = CALL_BEFORE.exec(left);
  if (!call) return token === "=>" && !/\(\s*(?:\w+\s*)?\)?\s*$/.test(left) ? "Write `>=`." : loop();
  const [name, element] = [call[1] ?? call[3]!, call[2] ?? call[4]!];
  if (name === "reduce") return "CEL has no reduce. Write `.sum()`, `.max()` or `.min()` after `.map(...)`.";
  if (/^sort/.test(name)) return `Write \`.sortBy(${element}, ${element})\`, or \`.sort()\`.`;
  const [method, end = ""] = Object.hasOwn(LOOPS, name) ? LOOPS[name]! : [name];
  const index = /^,\s*(\w+)/.exec(token)?.[1];
  if (index && TWO_VARIABLES[method]) {
    return `Write \`.${
      TWO_VARIABLES[method]
    }(${index}, ${element}, ...)\`: the index comes first, and a comma replaces the arrow.`;
  }
  return `Write \`.${method}(${element}, ...)${end}\`: a comma replaces the arrow.`;
}

/** The hint for a loop of which nothing else is known. */
export function loop(): string {
  return "Write `list.exists(x, ...)`, `list.all(x, ...)`, `list.filter(x, ...)` or `list.map(x, ...)`.";
}
