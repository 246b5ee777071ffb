/** Compiling and evaluating expressions, against the bare library: no budget, its own operators and checks. */
import { Environment } from "@marcbachmann/cel-js";
import { underBudget } from "../cel/language/budget.ts";
import { createLanguage } from "../cel/language/environment.ts";
import { compile } from "../cel/rooms/expression.ts";
import { ROOTS } from "../cel/language/paths.ts";
import { toCel } from "../cel/language/values.ts";
import { quick, Report } from "./support/report.ts";
import { alternate, median } from "./support/statistics.ts";

const ROUNDS = quick ? 5 : 60;
const BLOCK_MS = quick ? 1 : 4;

const EXPRESSIONS = [
  `state._shared.phase == "review"`,
  `state._shared.turn + 1`,
  `state._shared.approvals >= 2 && state._shared.phase == "review"`,
  `agents.ann.status == "busy" && messages.unclaimed > 0`,
  `has(state._shared.result) && state._shared.result.score > 10`,
  `state._shared.title.startsWith("Re:") || state._shared.title.contains("urgent")`,
  `"turn" in state._shared ? state._shared.turn * 2 : 0`,
  `state._shared.tasks.all(t, t.owner != "")`,
  `state._shared.tasks.filter(t, t.done).size() >= 3`,
  `agents.exists(id, agents[id].status == "idle")`,
];

const agents = ["ann", "bob", "cid", "dan", "eve"].map((
  id,
) => [id, { id, status: id === "eve" ? "idle" : "busy" }]);
const ROOM = {
  state: {
    _shared: {
      phase: "review",
      turn: 3,
      approvals: 2,
      title: "The parser is urgent",
      result: { score: 12 },
      tasks: Array.from({ length: 50 }, (_, n) => ({ owner: `agent-${n}`, done: n % 2 === 0 })),
    },
  },
  agents: Object.fromEntries(agents),
  messages: { count: 20, unclaimed: 4 },
};

const variables = new Map([...toCel(ROOM) as Map<string, unknown>, ["self", null], ["now", new Date()]]);
const language = createLanguage(ROOTS);
const bare = new Environment({ unlistedVariablesAreDyn: false, homogeneousAggregateLiterals: false });
for (const [name, type] of Object.entries(ROOTS)) bare.registerVariable(name, type.replace("double", "int"));

const report = new Report("cel");
const evaluated = [];
for (const source of EXPRESSIONS) evaluated.push(await compareEvaluation(source));
report.table(`evaluation: medians of ${ROUNDS} rounds`, evaluated);
const compiled = [];
for (const source of EXPRESSIONS) compiled.push(await compareCompilation(source));
report.table(`compilation: medians of ${ROUNDS} rounds`, compiled);

const ratios = evaluated.map(({ "budget/bare": ratio }) => ratio);
const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
report.target(
  "evaluation under the budget against the bare library, geometric mean",
  mean,
  { most: 1.2 },
  "x",
);
report.target("the same, the worst of them", Math.max(...ratios), { most: 1.2 }, "x");
await report.finish();

async function compareEvaluation(source: string) {
  const bareProgram = bare.parse(source);
  const program = language.compile(source);
  const expression = compile(source);
  const bareVariables = withIntegers(variables) as Map<string, unknown>;
  const times = await compare({
    bare: () => bareProgram(bareVariables as never),
    budget: () => underBudget(() => program.run(variables)),
    json: () => expression.evaluate(variables),
  });
  const against = (name: "budget" | "json") => median(times[name].map((time, n) => time / times.bare[n]!));
  return {
    expression: source,
    "bare us": median(times.bare),
    "under the budget us": median(times.budget),
    "and as JSON us": median(times.json),
    "budget/bare": against("budget"),
    "JSON/bare": against("json"),
  };
}

async function compareCompilation(source: string) {
  const times = await compare({
    bare: () => bare.parse(source).check(),
    ours: () => language.compile(source),
    cached: () => compile(source),
  });
  return {
    expression: source,
    "bare us": median(times.bare),
    "ours us": median(times.ours),
    "cached us": median(times.cached),
    "ours/bare": median(times.ours.map((time, n) => time / times.bare[n]!)),
  };
}

/** Microseconds of one run of each subject, in as many rounds as there are. */
function compare<Name extends string>(
  subjects: Record<Name, () => unknown>,
): Promise<Record<Name, number[]>> {
  return alternate(Object.keys(subjects) as Name[], ROUNDS, (name) => {
    const run = subjects[name];
    const began = performance.now();
    let runs = 0;
    for (; runs % 16 !== 0 || performance.now() - began < BLOCK_MS; runs++) run();
    return (performance.now() - began) / runs * 1_000;
  });
}

/** The library has no sum of a double and an int: for it, whole numbers are ints. */
function withIntegers(value: unknown): unknown {
  if (Number.isInteger(value)) return BigInt(value as number);
  if (Array.isArray(value)) return value.map(withIntegers);
  if (!(value instanceof Map)) return value;
  return new Map([...value].map(([key, member]) => [key, withIntegers(member)]));
}
