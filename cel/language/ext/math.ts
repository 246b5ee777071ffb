import { EvaluationFailed } from "../errors.ts";
import { typeName } from "../describe.ts";
import type { UnsignedInt } from "../engine.ts";
import { compare } from "../std/equality.ts";
import type { Functions } from "../std/functions.ts";
import { int, isNumeric, MAX_UINT, uint } from "../std/numbers.ts";
import { charge } from "../budget.ts";

/** The maximum number of arguments of `math.greatest(a, b, ...)`. */
const MAX_VALUES = 8;

/** cel-go's math extension, under the name `math`. */
export const MATH: Functions = {
  ...extremes("greatest", (order) => order >= 0),
  ...extremes("least", (order) => order <= 0),
  "MathNamespace.ceil(double): double": (_: unknown, value: number) => Math.ceil(value),
  "MathNamespace.floor(double): double": (_: unknown, value: number) => Math.floor(value),
  "MathNamespace.trunc(double): double": (_: unknown, value: number) => Math.trunc(value),
  "MathNamespace.round(double): double": (_: unknown, value: number) =>
    Math.sign(value) * Math.floor(Math.abs(value) + 0.5),
  "MathNamespace.isNaN(double): bool": (_: unknown, value: number) => Number.isNaN(value),
  "MathNamespace.isInf(double): bool": (_: unknown, value: number) => Math.abs(value) === Infinity,
  "MathNamespace.isFinite(double): bool": (_: unknown, value: number) => Number.isFinite(value),
  "MathNamespace.abs(int): int": (_: unknown, value: bigint) => int(value < 0n ? -value : value),
  "MathNamespace.abs(uint): uint": (_: unknown, value: UnsignedInt) => value,
  "MathNamespace.abs(double): double": (_: unknown, value: number) => Math.abs(value),
  "MathNamespace.sign(int): int": (_: unknown, value: bigint) => value > 0n ? 1n : value < 0n ? -1n : 0n,
  "MathNamespace.sign(uint): uint": (_: unknown, value: UnsignedInt) => uint(value.value > 0n ? 1n : 0n),
  "MathNamespace.sign(double): double": (_: unknown, value: number) => Math.sign(value),
  "MathNamespace.sqrt(double): double": (_: unknown, value: number) => Math.sqrt(value),
  "MathNamespace.sqrt(int): double": (_: unknown, value: bigint) => Math.sqrt(Number(value)),
  "MathNamespace.sqrt(uint): double": (_: unknown, value: UnsignedInt) => Math.sqrt(Number(value.value)),
};

/** Bit operations. They also take whole doubles as ints. */
export const BITS: Functions = {
  ...bits("bitAnd", (a, b) => a & b),
  ...bits("bitOr", (a, b) => a | b),
  ...bits("bitXor", (a, b) => a ^ b),
  "MathNamespace.bitNot(int): int": (_: unknown, value: bigint) => ~value,
  "MathNamespace.bitNot(uint): uint": (_: unknown, value: UnsignedInt) => uint(MAX_UINT ^ value.value),
  "MathNamespace.bitShiftLeft(int, int): int": (_: unknown, value: bigint, by: bigint) =>
    BigInt.asIntN(64, shift(by) > 63n ? 0n : value << by),
  "MathNamespace.bitShiftLeft(uint, int): uint": (_: unknown, value: UnsignedInt, by: bigint) =>
    uint(BigInt.asUintN(64, shift(by) > 63n ? 0n : value.value << by)),
  // The extension shifts in zeros, even for int.
  "MathNamespace.bitShiftRight(int, int): int": (_: unknown, value: bigint, by: bigint) =>
    BigInt.asIntN(64, shift(by) > 63n ? 0n : BigInt.asUintN(64, value) >> by),
  "MathNamespace.bitShiftRight(uint, int): uint": (_: unknown, value: UnsignedInt, by: bigint) =>
    uint(shift(by) > 63n ? 0n : value.value >> by),
};

/** Checks the width of a shift. */
function shift(by: bigint): bigint {
  if (by < 0n) throw new EvaluationFailed("invalid_argument", `math: a shift by ${by}`);
  return by;
}

function bits(name: string, operate: (a: bigint, b: bigint) => bigint): Functions {
  return {
    [`MathNamespace.${name}(int, int): int`]: (_: unknown, a: bigint, b: bigint) => operate(a, b),
    [`MathNamespace.${name}(uint, uint): uint`]: (_: unknown, a: UnsignedInt, b: UnsignedInt) =>
      uint(operate(a.value, b.value)),
  };
}

/** `math.greatest` and `math.least`: of a list, or of the arguments. */
function extremes(name: string, stays: (order: number) => boolean): Functions {
  const pick = (values: unknown[]) => extreme(values, stays, `math.${name}()`);
  const functions: Functions = {
    [`MathNamespace.${name}(dyn): dyn`]: (_: unknown, value: unknown) =>
      pick(Array.isArray(value) ? value : [value]),
  };
  for (let count = 2; count <= MAX_VALUES; count++) {
    const types = new Array(count).fill("dyn").join(", ");
    functions[`MathNamespace.${name}(${types}): dyn`] = (_: unknown, ...values: unknown[]) => pick(values);
  }
  return functions;
}

/** The first extreme of some numbers; `stays` tells from its order to the next whether it stands. Throws for none. */
export function extreme(values: unknown[], stays: (order: number) => boolean, caller: string): unknown {
  charge(values.length);
  if (values.length === 0) throw new EvaluationFailed("invalid_argument", `${caller} of nothing`);
  let best = values[0];
  for (const value of values) {
    if (!isNumeric(value)) {
      throw new EvaluationFailed("no_such_overload", `${caller} takes numbers, not a ${typeName(value)}`);
    }
    if (!stays(compare(best, value)!)) best = value;
  }
  return best;
}
