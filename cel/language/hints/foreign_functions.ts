import { MAX_ARGUMENTS } from "../engine.ts";
import { LOOPS } from "./foreign_loops.ts";
import { synonyms } from "./synonyms.ts";

/** Translates a call of another language, given its receiver or first argument, and its other arguments. */
type Translate = (x: string, args: string[]) => string;

const PLAIN_NAME = /^[A-Za-z_]\w*$/;

/** `Write ...`, with each expression in backticks. */
export const write = (...expressions: string[]) =>
  `Write ${expressions.map((e) => `\`${e}\``).join(", or ")}.`;

/** An optional member, by an argument that names it. */
function optionally(x: string, key = '"key"'): string {
  const name = /^["'](.*)["']$/.exec(key)?.[1] ?? "";
  return PLAIN_NAME.test(name) ? `${x}.?${name}` : `${x}[?${key}]`;
}

/** A loop by its name in CEL, between `start` and `end`. */
function loop(name: string, end = "", start = ""): Translate {
  return (x, args) => {
    const [element = "", result] = args;
    const named = args.length === 2 && PLAIN_NAME.test(element);
    return write(`${start}${x}.${name}(${named ? `${element}, ${result}` : "e, ..."})${end}`);
  };
}

/** A method by its name in CEL, with at most as many arguments as it takes there. */
const rename = (name: string, takes = 0): Translate => (x, args) =>
  write(`${x}.${name}(${Array.from({ length: takes }, (_, i) => args[i] ?? '"..."').join(", ")})`);
/** Strips the brackets around an operand that stands in brackets anyway. */
const bare = (x: string) => x.startsWith("(") ? x.slice(1, -1) : x;
const call = (name: string, takes = 1): Translate => (x, args) =>
  write(`${name}(${[bare(x), ...args].slice(0, takes).join(", ")})`);
const size: Translate = (x) => call("size")(x, []);
const isEmpty: Translate = (x) => write(`size(${x}) == 0`);
const get: Translate = (x, [key, other = "null"]) => write(`${optionally(x, key)}.orValue(${other})`);
const hasKey: Translate = (x, [key = '"key"']) => write(`${key} in ${x}`);
const keys: Translate = (x) =>
  `Write \`${x}.map(k, k)\`. A loop over a map goes over its keys: \`${x}.exists(k, ...)\`.`;
const values: Translate = (x) =>
  `Write \`${x}.transformList(k, v, v)\`; a loop can take both: \`${x}.exists(k, v, ...)\`.`;
const entries: Translate = (x) =>
  `Write \`${x}.transformList(k, v, [k, v])\`; a loop can take both: \`${x}.exists(k, v, ...)\`.`;
const member: Translate = (x, [y = '"a"']) => {
  if (/^["']/.test(x)) return write(`${x}.contains(${y})`);
  if (/^[[{]/.test(x)) return write(`${y} in ${x}`);
  return `Write \`${y} in ${x}\` for a list or a map's keys, \`${x}.contains(${y})\` for text.`;
};
const findIndex: Translate = (x, args) => {
  const [element, condition] = args.length === 2 ? args : ["e", args[0] ? `e == ${args[0]}` : "..."];
  return write(`${x}.transformList(i, ${element}, ${condition}, i).first().orValue(-1)`);
};
const count: Translate = (x, args) => {
  if (args.length === 0) return size(x, args);
  return args.length === 2
    ? loop("filter", ".size()")(x, args)
    : write(`${x}.filter(e, e == ${args[0]}).size()`, `${x}.filter(e, ...).size()`);
};
const some: Translate = (x, args) =>
  args.length === 0 ? write(`size(${x}) > 0`, `${x}.exists(e, ...)`) : loop("exists")(x, args);
const find: Translate = (x, args) =>
  /^["']/.test(args[0] ?? "")
    ? rename("indexOf", 1)(x, args)
    : loop("filter", ".first().orValue(null)")(x, args);
const isThere: Translate = (x, args) =>
  args.length === 0 && /[.[]/.test(x) ? write(`has(${x})`) : loop("exists")(x, args);
const join: Translate = (x, args) => write(`${x} + [${args[0] ?? "..."}]`);

export const METHODS: Readonly<Record<string, Translate>> = {
  ...Object.fromEntries(Object.entries(LOOPS).map(([name, [macro, end]]) => [name, loop(macro, end)])),
  ...synonyms<Translate>([
    [get, "get", "getOrDefault", "getOrElse", "get_or_default"],
    [keys, "keys"],
    [values, "values"],
    [entries, "entries", "items"],
    [some, "some", "any"],
    [loop("exists", "", "!"), "none"],
    [find, "find", "findFirst"],
    [findIndex, "findIndex"],
    [count, "count"],
    [size, "length", "len"],
    [member, "includes"],
    [hasKey, "has", "has_key", "hasKey", "contains_key", "containsKey", "hasOwnProperty"],
    [isEmpty, "isEmpty", "is_empty", "empty"],
    [(x, [index = "0"]) => write(`${x}[${index}]`), "at"],
    [join, "push", "append", "add"],
    [(x, [y = "[1]"]) => write(`${x} + ${y}`), "concat"],
    [rename("distinct"), "unique"],
    [(x) => write(`${x}.map(e, e).sum()`), "reduce"],
    [rename("lowerAscii"), "toLowerCase", "lower"],
    [rename("upperAscii"), "toUpperCase", "upper"],
    [rename("trim"), "strip"],
    [rename("matches", 1), "test", "match", "search"],
    [call("string"), "toString"],
    [(x, [y = '"a"']) => write(`${x} == ${y}`), "equals"],
  ]),
};

const MATH = ["abs", "round", "floor", "ceil", "sqrt"];
const greatest = call("math.greatest", MAX_ARGUMENTS);
const least = call("math.least", MAX_ARGUMENTS);

export const FUNCTIONS = synonyms<Translate>([
  ...MATH.map((name): [Translate, string] => [call(`math.${name}`), name]),
  [size, "len", "length", "count"],
  [(x) => write(`!(${bare(x)})`), "not"],
  [loop("exists"), "any"],
  [rename("sum"), "sum"],
  [rename("sort"), "sorted"],
  [rename("reverse"), "reversed"],
  [(x, args) => (args.length === 0 ? rename("max") : greatest)(x, args), "max"],
  [(x, args) => (args.length === 0 ? rename("min") : least)(x, args), "min"],
  [(x, args) => write(`lists.range(${args[0] ?? x})`), "range"],
  [call("int"), "parseInt"],
  [call("double"), "parseFloat", "float", "Number"],
  [call("string"), "str", "String"],
  [call("bool"), "Boolean"],
  [call("type"), "typeof"],
  [(x) => write(`${x} == null`), "isNull"],
  [call("has"), "defined"],
  [isThere, "exists"],
  [(_, [other = "..."]) => write(`a.?b.orValue(${other})`), "coalesce"],
  [(x, [a = "1", b = "2"]) => write(`${x} ? ${a} : ${b}`), "iff"],
]);

/** A method that takes only a list: on a map, it is called on the values. */
const ofValues = (name: string): Translate => (x) =>
  `It takes a list. For a map's values write \`${x}.transformList(k, v, v).${name}()\`.`;

/** `list.max(e, e.n)`: maps first, since the method takes no arguments. */
const aggregate = (name: string): Translate => (x, args) => {
  if (args.length === 0) return ofValues(name)(x, args);
  const mapped = args.length === 2 && PLAIN_NAME.test(args[0]!) ? `.map(${args[0]}, ${args[1]})` : "";
  return write(`${x}${mapped}.${name}()`);
};

/** Methods that CEL has by the same name, for other types or with other arguments. */
export const MISUSED: Readonly<Record<string, Translate>> = {
  contains: member,
  exists: isThere,
  indexOf: findIndex,
  sortBy: loop("sortBy"),
  format: (x, args) => write(`${x.replaceAll(/\{\w*\}/g, "%s")}.format([${args.join(", ")}])`),
  max: aggregate("max"),
  min: aggregate("min"),
  sum: aggregate("sum"),
  sort: (x, args) => (args.length === 0 ? ofValues("sort") : loop("sortBy"))(x, args),
};

/** The functions in namespaces of other languages. */
export const NAMESPACED: Readonly<Record<string, Translate>> = {
  "Math.max": greatest,
  "Math.min": least,
  "math.max": greatest,
  "math.min": least,
  "JSON.stringify": () => "Compare values as they are, lists and maps too: they need no text.",
  "JSON.parse": (x) => write(x),
  ...Object.fromEntries([...MATH, "sign", "trunc"].map((name) => [`Math.${name}`, call(`math.${name}`)])),
  "Object.keys": keys,
  "Object.values": values,
  "Object.entries": entries,
  "Array.isArray": (x) => write(`type(${x}) == list`),
  "Date.now": () => write("now"),
  "Date.parse": call("timestamp"),
  "datetime.now": () => write("now"),
  "time.time": () => write("now"),
};

/** What to write for names of other languages. */
export const NAMES = synonyms([
  ["null", "None", "undefined", "nil", "Null", "NULL"],
  ["true", "True", "TRUE"],
  ["false", "False", "FALSE"],
  ["self", "this", "me"],
  ["now", "time"],
  ["messages.kind.task", "task", "tasks"],
  ["state._shared", "shared", "_shared"],
  ["state._view", "view", "views", "_view"],
]);
