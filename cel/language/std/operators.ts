import { charge } from "../budget.ts";
import { EvaluationFailed } from "../errors.ts";
import { typeName } from "../describe.ts";
import { durationOf, nanoseconds, shift } from "./durations.ts";
import { Duration, UnsignedInt } from "../engine.ts";
import { compare, contains, equal, lookUp } from "./equality.ts";
import { double, int, isNumeric, uint } from "./numbers.ts";

type Operation = (left: unknown, right: unknown) => unknown;

/** Characters or bytes that one step of the budget copies. */
const COPIED_AT_ONCE = 16;

function nonZero(value: bigint, code: string, message: string): bigint {
  if (value === 0n) throw new EvaluationFailed(code, message);
  return value;
}

/** An operator of numbers: in doubles if either operand is one, else in integers. Else `others`, if it has any. */
function arithmetic(
  doubles: (left: number, right: number) => number,
  integers: (left: bigint, right: bigint) => bigint,
  others?: Operation,
): Operation {
  return (left, right) => {
    if (typeof left === "number" && typeof right === "number") return doubles(left, right);
    if (typeof left === "bigint" && typeof right === "bigint") return int(integers(left, right));
    if (!isNumeric(left) || !isNumeric(right)) return others?.(left, right);
    if (typeof left === "number" || typeof right === "number") return doubles(double(left), double(right));
    if (left instanceof UnsignedInt && right instanceof UnsignedInt) {
      return uint(integers(left.value, right.value));
    }
    return undefined;
  };
}

function add(left: unknown, right: unknown): unknown {
  if (typeof left === "string" && typeof right === "string") {
    charge((left.length + right.length) / COPIED_AT_ONCE);
    return left + right;
  }
  if (Array.isArray(left) && Array.isArray(right)) {
    charge((left.length + right.length) / 4);
    return left.concat(right);
  }
  if (left instanceof Duration) {
    if (right instanceof Duration) return durationOf(nanoseconds(left) + nanoseconds(right));
    if (right instanceof Date) return shift(right, left, 1);
  }
  if (left instanceof Date && right instanceof Duration) return shift(left, right, 1);
  if (left instanceof Uint8Array && right instanceof Uint8Array) {
    charge((left.length + right.length) / COPIED_AT_ONCE);
    const joined = new Uint8Array(left.length + right.length);
    joined.set(left);
    joined.set(right, left.length);
    return joined;
  }
  return undefined;
}

function subtract(left: unknown, right: unknown): unknown {
  if (left instanceof Date) {
    // The spec limits this difference to 64 bits of nanoseconds, 292 years.
    if (right instanceof Date) return durationOf(int(BigInt(left.getTime() - right.getTime()) * 1_000_000n));
    if (right instanceof Duration) return shift(left, right, -1);
  }
  if (left instanceof Duration && right instanceof Duration) {
    return durationOf(nanoseconds(left) - nanoseconds(right));
  }
  return undefined;
}

function isMember(value: unknown, container: unknown): unknown {
  if (container instanceof Map) {
    return typeof value === "string" ? container.has(value) : lookUp(container, value) !== undefined;
  }
  return Array.isArray(container) ? contains(container, value) : undefined;
}

/** The binary operators. Each returns undefined for operands of types that it does not take. */
const OPERATIONS: Record<string, Operation> = {
  "+": arithmetic((a, b) => a + b, (a, b) => a + b, add),
  "-": arithmetic((a, b) => a - b, (a, b) => a - b, subtract),
  "*": arithmetic((a, b) => a * b, (a, b) => a * b),
  "/": arithmetic((a, b) => a / b, (a, b) => a / nonZero(b, "division_by_zero", "Division by zero")),
  "%": arithmetic((a, b) => a % b, (a, b) => a % nonZero(b, "modulo_by_zero", "Modulo by zero")),
  "==": equal,
  "!=": (a, b) => !equal(a, b),
  "<": ordering((order) => order < 0),
  "<=": ordering((order) => order <= 0),
  ">": ordering((order) => order > 0),
  ">=": ordering((order) => order >= 0),
  in: isMember,
};

function ordering(holds: (order: number) => boolean): Operation {
  return (left, right) => {
    const order = compare(left, right);
    return order === undefined ? undefined : holds(order);
  };
}

export const BINARY = Object.keys(OPERATIONS);

/** The function of a binary operator. It throws `no_such_overload` for operands that the operator does not take. */
export function operation(operator: string): Operation {
  const apply = OPERATIONS[operator]!;
  return (left, right) => {
    const result = apply(left, right);
    if (result !== undefined) return result;
    const [a, b] = [typeName(left), typeName(right)];
    throw new EvaluationFailed(
      "no_such_overload",
      `\`${operator}\` is not defined for ${a} and ${b}`,
      undefined,
      adviceFor(operator, a, b),
    );
  };
}

/** Negates a number; undefined for other types. */
export function negate(value: unknown): unknown {
  if (typeof value === "number") return -value;
  return typeof value === "bigint" ? int(-value) : undefined;
}

const SPAN = 'Write `duration("60s")` for a time of 60 seconds.';
const FACTORS = new Set(["*", "/", "%"]);

/** A hint how to convert two operands that an operator does not take, where there is one usual way. */
export function adviceFor(operator: string, left: string, right: string): string | undefined {
  const types = new Set([left, right]);
  if (types.has("string") && types.has("timestamp")) {
    return 'Times of agents are strings: compare timestamp(agents["id"].last_heartbeat).';
  }
  const hasNumber = types.has("int") || types.has("double");
  if (types.has("duration") && (types.has("string") || hasNumber) && !FACTORS.has(operator)) return SPAN;
  if (types.has("timestamp") && hasNumber && (operator === "+" || operator === "-")) return SPAN;
  if (operator === "+" && types.has("string")) return "Join text with string(...) around what is no string.";
  if (types.has("string") && hasNumber) {
    return "Make both numbers with double(...), or both text with string(...).";
  }
  if (types.has("optional")) return "Take the value out with .orValue(default).";
  return undefined;
}
