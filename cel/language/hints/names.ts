import { lastStep, literal, type Path, ROOTS, type Use, visitPaths } from "../paths.ts";
import { InvalidExpression } from "../errors.ts";
import type { Node } from "../engine.ts";

/** The members of `messages` and of an agent, in any room. */
const MESSAGE_COUNTS = ["count", "unclaimed"];
const AGENT_FIELDS = [
  "id",
  "name",
  "role",
  "meta",
  "status",
  "waiting_on",
  "joined_at",
  "last_heartbeat",
];
export const NO_MESSAGES =
  "Of `messages` there are `count`, `unclaimed`: expressions do not see the messages themselves.";
export const SYSTEM_SCOPES = ["_shared", "_view"];

/** The known name that was probably meant; undefined where none is near. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  const wanted = name.slice(0, 64).toLowerCase();
  let best: string | undefined;
  let shortest = Math.max(1, Math.floor(wanted.length / 3)) + 0.5;
  for (const candidate of known) {
    const plain = candidate.toLowerCase();
    const begun = wanted.length > 2 && plain.startsWith(wanted);
    const distance = plain === wanted ? 0 : begun ? 1 : editDistance(wanted, plain);
    if (distance < shortest) [best, shortest] = [candidate, distance];
  }
  return best;
}

/** The number of insertions, deletions, substitutions and swaps of neighbours from one word to another. */
function editDistance(from: string, to: string): number {
  const rows = [Array.from({ length: to.length + 1 }, (_, i) => i)];
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const change = from[i - 1] === to[j - 1] ? 0 : 1;
      row[j] = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + change);
      const swapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      if (swapped) row[j] = Math.min(row[j]!, rows[i - 2]![j - 2]! + 1);
    }
    rows.push(row);
  }
  return rows.at(-1)!.at(-1)!;
}

export function didYouMean(name: string, known: Iterable<string>): string | undefined {
  const near = nearest(name, known);
  return near && `Did you mean \`${near}\`?`;
}

/** The hint for a name that is no root. */
export function unknownRoot(name: string): string {
  const roots = Object.keys(ROOTS);
  return didYouMean(name, roots) ??
    `An expression starts from ${roots.map((root) => `\`${root}\``).join(", ")}.`;
}

/**
 * Refuses paths that fail over any room: unknown members of `messages` and of agents, scopes that cannot exist, members
 * of `self`. has() and optional steps are allowed, since they do not fail. Throws InvalidExpression `no_such_key`.
 */
export function refuseImpossible(root: Node): void {
  visitPaths(root, (path, node, use) => {
    for (const { path: part, node: at, step } of plainSteps(path, node, use)) {
      const problem = problemAt(part, step);
      if (problem) throw new InvalidExpression("no_such_key", problem.message, at.pos, problem.hint);
    }
  });
}

interface Step {
  /** The path before the step. */
  path: Path;
  node: Node;
  step: string;
}

/** A path's literal steps that fail where nothing is there, in order. */
function plainSteps(path: Path, node: Node, use: Use): Step[] {
  const steps: Step[] = [];
  let optional = use === "has";
  for (let at = node, last = lastStep(at); last; at = last.target, last = lastStep(at)) {
    const depth = stepsBelow(last.target);
    const name = literal(last.step) ?? index(last.step);
    if (name !== undefined && !optional && !last.optional) {
      const where = typeof last.step === "string" ? at : last.step;
      steps.unshift({
        path: { root: path.root, steps: path.steps.slice(0, depth) },
        node: where,
        step: name,
      });
    }
    optional = false;
  }
  return steps;
}

/** The number that a step names: no member of a root has such a name. */
function index(step: Node | string): string | undefined {
  return typeof step !== "string" && step.op === "value" && typeof step.args === "bigint"
    ? String(step.args)
    : undefined;
}

function stepsBelow(node: Node): number {
  const last = lastStep(node);
  return last ? stepsBelow(last.target) + 1 : 0;
}

/** Why a step fails over any room; undefined if it may succeed. */
function problemAt({ root, steps }: Path, step: string): { message: string; hint?: string } | undefined {
  if (root === "messages" && steps.length === 0 && !MESSAGE_COUNTS.includes(step)) {
    const hint = didYouMean(step, MESSAGE_COUNTS) ?? NO_MESSAGES;
    return { message: `\`${step}\` is no member of messages`, hint };
  }
  if (root === "agents" && steps.length === 1 && !AGENT_FIELDS.includes(step)) {
    const known = AGENT_FIELDS.map((name) => `\`${name}\``).join(", ");
    const hint = didYouMean(step, AGENT_FIELDS) ?? `There are ${known}.`;
    return { message: `\`${step}\` is no member of an agent`, hint };
  }
  if (root === "state" && steps.length === 0 && step.startsWith("_") && !SYSTEM_SCOPES.includes(step)) {
    return { message: `There is no scope \`${step}\``, hint: scopeHint(step) };
  }
  if (root === "self" && steps.length === 0) {
    const hint = "`self` is an agent's id, or null: write agents[self].status.";
    return { message: `\`self\` has no member \`${step}\``, hint };
  }
  return undefined;
}

function scopeHint(scope: string): string {
  const near = nearest(scope, SYSTEM_SCOPES);
  if (near) return `Did you mean \`state.${near}\`?`;
  const root = nearest(scope.slice(1), Object.keys(ROOTS));
  if (root === "messages") return "Did you mean `messages.count` or `messages.unclaimed`?";
  if (root) return `Did you mean \`${root}\`?`;
  return "Scopes are `_shared`, `_view` and agents' ids.";
}
