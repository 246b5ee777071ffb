import { staticName } from "../describe.ts";
import { type CelType, DURATION, TIMESTAMP } from "../engine.ts";
import { NUMERIC } from "./numbers.ts";

/** The name of the static type of an operator's result, or null where the operator always fails. */
export function resultType(operator: string, left: CelType, right: CelType): string | null {
  const [a, b] = [staticName(left), staticName(right)];
  switch (operator) {
    case "==":
    case "!=":
      return mayEqual(a, b) ? "bool" : null;
    case "in":
      return mayContain(left, right) ? "bool" : null;
    case "<":
    case "<=":
    case ">":
    case ">=":
      return mayOrder(a, b) ? "bool" : null;
    default:
      return arithmeticType(operator, a, b);
  }
}

function isOpen(type: string): boolean {
  return type === "dyn" || /^[A-Z]$/.test(type);
}

function mayEqual(left: string, right: string): boolean {
  if (isOpen(left) || isOpen(right) || left === "null" || right === "null") return true;
  return left === right || (NUMERIC.has(left) && NUMERIC.has(right));
}

function mayContain(value: CelType, container: CelType): boolean {
  if (isOpen(staticName(container))) return true;
  const members = container.kind === "list"
    ? container.valueType
    : container.kind === "map"
    ? container.keyType
    : undefined;
  return members !== undefined && mayEqual(staticName(value), staticName(members));
}

const ORDERED = new Set(["bool", "string", "bytes", "timestamp", "duration"]);

function mayOrder(left: string, right: string): boolean {
  const orders = (type: string) => isOpen(type) || NUMERIC.has(type) || ORDERED.has(type);
  return orders(left) && orders(right) && mayEqual(left, right);
}

/** Types of sums and differences by the operands' types, except for numbers. */
const SUMS: Record<string, string> = {
  "string+string": "string",
  "bytes+bytes": "bytes",
  "list+list": "list",
  "timestamp+duration": TIMESTAMP,
  "duration+timestamp": TIMESTAMP,
  "duration+duration": DURATION,
  "timestamp-duration": TIMESTAMP,
  "timestamp-timestamp": DURATION,
  "duration-duration": DURATION,
};

function arithmeticType(operator: string, left: string, right: string): string | null {
  if (NUMERIC.has(left) && NUMERIC.has(right)) {
    if (left === "double" || right === "double") return "double";
    return left === right ? left : null;
  }
  if (isOpen(left) && isOpen(right)) return "dyn";
  if (!isOpen(left) && !isOpen(right)) return SUMS[left + operator + right] ?? null;
  const known = isOpen(left) ? right : left;
  if (known === "double") return "double";
  if (NUMERIC.has(known)) return "dyn";
  const results = new Set<string>();
  for (const [form, result] of Object.entries(SUMS)) {
    const [first, second] = form.split(operator);
    if (second !== undefined && known === (isOpen(left) ? second : first)) results.add(result);
  }
  if (results.size > 1) return "dyn";
  return [...results][0] ?? null;
}
