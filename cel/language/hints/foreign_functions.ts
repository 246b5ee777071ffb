import { MAX_ARGUMENTS } from "../engine.ts";

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
const join: Translate = (x, args) => write(`${x} + [${args[0] ?? "..."}]`);

export const METHODS: Readonly<Record<string, Translate>> = {
  get,
  getOrDefault: get,
  getOrElse: get,
  get_or_default: get,
  keys,
  values,
  entries,
  items: entries,
  any: some,
  some,
  every: loop("all"),
  none: loop("exists", "", "!"),
  find,
  findFirst: find,
  where: loop("filter"),
  select: loop("map"),
  forEach: loop("map"),
  flatMap: loop("map", ".flatten()"),
  findIndex,
  count,
  length: size,
  len: size,
  includes: member,
  has: hasKey,
  has_key: hasKey,
  hasKey,
  contains_key: hasKey,
  hasOwnProperty: hasKey,
  containsKey: hasKey,
  isEmpty,
  is_empty: isEmpty,
  empty: isEmpty,
  at: (x, [index = "0"]) => write(`${x}[${index}]`),
  push: join,
  append: join,
  add: join,
  concat: (x, [y = "[1]"]) => write(`${x} + ${y}`),
  unique: rename("distinct"),
  reduce: (x) => write(`${x}.map(e, e).sum()`),
  toLowerCase: rename("lowerAscii"),
  lower: rename("lowerAscii"),
  toUpperCase: rename("upperAscii"),
  upper: rename("upperAscii"),
  strip: rename("trim"),
  test: rename("matches", 1),
  match: rename("matches", 1),
  search: rename("matches", 1),
  toString: (x: string) => write(`string(${bare(x)})`),
  equals: (x, [y = '"a"']) => write(`${x} == ${y}`),
};

export const FUNCTIONS: Readonly<Record<string, Translate>> = {
  len: size,
  length: size,
  count: size,
  not: (x) => write(`!(${bare(x)})`),
  any: loop("exists"),
  sum: rename("sum"),
  sorted: rename("sort"),
  reversed: rename("reverse"),
  max: (x, args) =>
    args.length === 0 ? rename("max")(x, args) : call("math.greatest", MAX_ARGUMENTS)(x, args),
  min: (x, args) => args.length === 0 ? rename("min")(x, args) : call("math.least", MAX_ARGUMENTS)(x, args),
  abs: call("math.abs"),
  round: call("math.round"),
  floor: call("math.floor"),
  ceil: call("math.ceil"),
  sqrt: call("math.sqrt"),
  range: (x, args) => write(`lists.range(${args[0] ?? x})`),
  parseInt: (x) => write(`int(${bare(x)})`),
  parseFloat: (x) => write(`double(${bare(x)})`),
  float: (x) => write(`double(${bare(x)})`),
  Number: (x) => write(`double(${bare(x)})`),
  str: (x) => write(`string(${bare(x)})`),
  String: (x) => write(`string(${bare(x)})`),
  Boolean: (x) => write(`bool(${bare(x)})`),
  typeof: (x) => write(`type(${bare(x)})`),
  isNull: (x) => write(`${x} == null`),
  defined: (x) => write(`has(${bare(x)})`),
  exists: (x, args) => args.length === 0 && /[.[]/.test(x) ? write(`has(${x})`) : loop("exists")(x, args),
  coalesce: (_, [other = "..."]) => write(`a.?b.orValue(${other})`),
  iff: (x, [a = "1", b = "2"]) => write(`${x} ? ${a} : ${b}`),
};

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
  indexOf: findIndex,
  exists: loop("exists"),
  all: loop("all"),
  filter: loop("filter"),
  map: loop("map"),
  sortBy: loop("sortBy"),
  format: (x, args) => write(`${x.replaceAll(/\{\w*\}/g, "%s")}.format([${args.join(", ")}])`),
  max: aggregate("max"),
  min: aggregate("min"),
  sum: aggregate("sum"),
  sort: (x, args) => (args.length === 0 ? ofValues("sort") : loop("sortBy"))(x, args),
};

/** The functions in namespaces of other languages. */
export const NAMESPACED: Readonly<Record<string, Translate>> = {
  "Math.max": call("math.greatest", MAX_ARGUMENTS),
  "Math.min": call("math.least", MAX_ARGUMENTS),
  ...Object.fromEntries(
    ["abs", "round", "floor", "ceil", "sqrt", "sign", "trunc"].map((
      name,
    ) => [`Math.${name}`, call(`math.${name}`)]),
  ),
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
export const NAMES: Readonly<Record<string, string>> = {
  None: "null",
  undefined: "null",
  nil: "null",
  Null: "null",
  NULL: "null",
  True: "true",
  TRUE: "true",
  False: "false",
  FALSE: "false",
  this: "self",
  me: "self",
  time: "now",
  task: "messages.kind.task",
  tasks: "messages.kind.task",
  shared: "state._shared",
  _shared: "state._shared",
  view: "state._view",
  views: "state._view",
  _view: "state._view",
};
