import { EvaluationFailed } from "../errors.ts";
import { typeName } from "../describe.ts";
import { integral } from "./numbers.ts";

/**
 * Handlers by signature, `name(types): result` or `receiver.name(types): result`. A handler receives the values, the
 * receiver first.
 */
export type Functions = Record<string, (...args: never[]) => unknown>;

type Handler = Functions[string];

/**
 * The overloads of a signature in which a whole double may replace each int, since the numbers of a room are doubles.
 */
export function* overloads(signature: string, handler: Handler): Generator<[string, Handler]> {
  yield [signature, handler];
  const match = /^((?:[\w.<>]+\.)?\w+)\(([^)]*)\)(.*)$/.exec(signature);
  const types = match?.[2]?.split(",").map((type) => type.trim()) ?? [];
  const positions = [...types.keys()].filter((i) => types[i] === "int");
  const offset = match?.[1]?.includes(".") ? 1 : 0;
  for (let choice = 1; choice < 1 << positions.length; choice++) {
    const chosen = positions.filter((_, bit) => choice & (1 << bit));
    const widened = types.map((type, i) => chosen.includes(i) ? "double" : type);
    yield [`${match![1]}(${widened.join(", ")})${match![3]}`, (...args: unknown[]) => {
      for (const i of chosen) args[i + offset] = wholeNumber(args[i + offset]);
      return handler(...args as never[]);
    }];
  }
}

function wholeNumber(value: unknown): bigint {
  const whole = integral(value);
  if (whole !== undefined) return whole;
  throw new EvaluationFailed(
    "no_such_overload",
    `A whole number is needed, not ${typeof value === "number" ? value : `a ${typeName(value)}`}`,
    undefined,
    "Cut the fraction off with int(...).",
  );
}
