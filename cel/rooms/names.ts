import { NO_LIST, type Path, ROOTS, SYSTEM_SCOPES, type Use, visitPaths } from "../language/paths.ts";
import { InvalidExpression } from "../language/errors.ts";
import { type Family, FAMILY_NAMES } from "../language/families.ts";
import { children, lastStep, literal, type Node } from "../language/engine.ts";
import { didYouMean, nearest } from "../language/hints/nearest.ts";
import { synonyms } from "../language/hints/synonyms.ts";
import { COLUMNS } from "../../db/messages/message.ts";
import { KIND_COUNTS } from "../../db/snapshots/message_facts.ts";

/** The members that `messages`, the records of its families and agents have in any room. */
const OF_MESSAGES = ["count", "unclaimed", "last", ...FAMILY_NAMES];
/** Those of the `message` of a `where`, as answers have them: what is looked up of it is left out. */
const OF_MESSAGE = COLUMNS.filter((name) => name !== "revision");
const OF_FAMILY: Readonly<Record<Family, readonly string[]>> = {
  kind: KIND_COUNTS,
  to: ["last"],
  from: ["last"],
  id: [...OF_MESSAGE, "replies", "result"],
};
const OF_REPLIES = ["count", "last"];
/** Other words for the members of `messages.kind[k]`, some of which are near to one that says the opposite. */
const OF_KIND = synonyms([
  ["open", "unclaimed", "pending", "todo", "ready"],
  ["claimed", "taken"],
  ["done", "completed", "finished"],
  ["count", "size", "length", "total"],
]);
const AGENT_FIELDS = [
  "id",
  "name",
  "role",
  "meta",
  "status",
  "waiting_on",
  "joined_at",
  "last_heartbeat",
  "alive",
  "secure",
];

/** Makes the hint for a name that is no root. `isValue`: it stands where a text may be meant. */
export const unknownRoot = (roots: readonly string[]) => (name: string, isValue: boolean): string => {
  if (roots.includes("message") && OF_MESSAGE.includes(name)) return `Did you mean \`message.${name}\`?`;
  const quotes = isValue ? `Text is written in quotes: \`"${name}"\`. ` : "";
  return didYouMean(name, roots) ??
    `${quotes}An expression starts with one of ${inWords(roots)}.`;
};

/**
 * Refuses paths that fail over any room: unknown members of `messages` and of agents, scopes that cannot exist, members
 * of `self`. has() and optional steps are allowed, since they do not fail, but for members that no `message` has: such a
 * condition would never hold. Throws InvalidExpression `no_such_key`.
 */
export function refuseImpossible(root: Node): void {
  const messages = new Set<Node>();
  visitPaths(root, (path, node, use) => {
    if (path.root === "messages" && path.steps.length === 0) messages.add(node);
    for (const { path: part, node: at, step } of plainSteps(path, node, use)) {
      const problem = problemAt(part, step);
      if (problem) throw new InvalidExpression("no_such_key", problem.message, at.pos, problem.hint);
    }
  });
  if (messages.size > 0) refuseSize(root, messages);
}

/** Refuses `messages.size()`, which is meant to be the number of messages. */
function refuseSize(node: Node, messages: ReadonlySet<Node>): void {
  if (node.op === "rcall") {
    const [name, receiver] = node.args as [string, Node];
    if (name === "size" && messages.has(receiver)) {
      const message = "`messages` is not a list, so it has no size";
      const hint = "Did you mean `messages.count`?";
      throw new InvalidExpression("no_such_overload", message, receiver.end + 1, hint);
    }
  }
  for (const child of children(node)) refuseSize(child, messages);
}

interface Step {
  /** The path before the step. */
  path: Path;
  node: Node;
  step: string;
}

/** A path's literal steps that fail if the member is missing, or that read one of `message`, in order. */
function plainSteps(path: Path, node: Node, use: Use): Step[] {
  const steps: Step[] = [];
  let optional = use === "has";
  for (let at = node, last = lastStep(at); last; at = last.target, last = lastStep(at)) {
    const depth = stepsBelow(last.target);
    const name = literal(last.step) ?? index(last.step);
    const isClosed = path.root === "message" && depth === 0;
    if (name !== undefined && (isClosed || !optional && !last.optional)) {
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

/** The number that a step names. No member of a root has a number as its name. */
function index(step: Node | string): string | undefined {
  return typeof step !== "string" && step.op === "value" && typeof step.args === "bigint"
    ? String(step.args)
    : undefined;
}

function stepsBelow(node: Node): number {
  const last = lastStep(node);
  return last ? stepsBelow(last.target) + 1 : 0;
}

interface Problem {
  message: string;
  hint: string;
}

/** The reason why a step fails over any room; undefined if it may succeed. */
function problemAt({ root, steps }: Path, step: string): Problem | undefined {
  if (root === "messages") return problemOfMessages(steps, step);
  if (root === "message" && steps.length === 0) return unlessKnown(step, OF_MESSAGE, "a message");
  if (root === "agents" && steps.length === 1) return unlessKnown(step, AGENT_FIELDS, "an agent");
  if (root === "state" && steps.length === 0 && step.startsWith("_") && !SYSTEM_SCOPES.includes(step)) {
    return { message: `There is no scope \`${step}\``, hint: scopeHint(step) };
  }
  if (root === "self" && steps.length === 0) {
    const hint = "`self` is an agent's id or null. Write `agents[self].status`.";
    return { message: `\`self\` has no member \`${step}\``, hint };
  }
  return undefined;
}

function problemOfMessages(steps: Path["steps"], step: string): Problem | undefined {
  const [first, , third] = steps;
  if (steps.length === 0) {
    const isOfKind = OF_FAMILY.kind.includes(step) && !OF_MESSAGES.includes(step);
    if (isOfKind) return noMember(step, "messages", `Write \`messages.kind.task.${step}\`, of a kind.`);
    const byId = /^\d+$/.test(step) ? `Write \`messages.id[${step}]\` for a message by its id.` : NO_LIST;
    return unlessKnown(step, OF_MESSAGES, "messages", byId);
  }
  if (steps.length === 2 && first === "kind" && Object.hasOwn(OF_KIND, step)) {
    return noMember(step, "messages.kind[...]", `Did you mean \`${OF_KIND[step]}\`?`);
  }
  if (steps.length === 2 && Object.hasOwn(OF_FAMILY, first ?? "")) {
    return unlessKnown(step, OF_FAMILY[first as Family], `messages.${first}[...]`);
  }
  if (steps.length === 3 && first === "id" && third === "replies") {
    return unlessKnown(step, OF_REPLIES, "a message's replies");
  }
  return undefined;
}

function unlessKnown(
  step: string,
  known: readonly string[],
  of: string,
  otherwise = `Its members are ${inWords(known)}.`,
): Problem | undefined {
  return known.includes(step) ? undefined : noMember(step, of, didYouMean(step, known) ?? otherwise);
}

function noMember(step: string, of: string, hint: string): Problem {
  return { message: `\`${step}\` is not a member of ${of}`, hint };
}

function inWords(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(", ");
}

function scopeHint(scope: string): string {
  const near = nearest(scope, SYSTEM_SCOPES);
  if (near) return `Did you mean \`state.${near}\`?`;
  const root = nearest(scope.slice(1), Object.keys(ROOTS));
  if (root === "messages") return "Did you mean `messages.count` or `messages.unclaimed`?";
  if (root) return `Did you mean \`${root}\`?`;
  return "Scopes are `_shared`, `_view` and agents' ids.";
}
