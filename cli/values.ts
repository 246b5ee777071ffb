import type { Json } from "../client/mod.ts";

/** What was typed makes no sense: the command ends with 2. */
export class UsageError extends Error {}

/** A word as a value: a number only if it comes back as it was typed, other JSON as JSON, else text. */
export function readValue(typed: string): Json {
  let value: Json;
  try {
    value = JSON.parse(typed);
  } catch {
    return typed;
  }
  if (typeof value === "number") return String(value) === typed ? value : typed;
  return typeof value === "object" ? readJson(typed) ?? null : value;
}

type Reviver = (name: string, value: unknown, context?: { source?: string }) => unknown;

/** JSON in which each number is kept; undefined where it is none. Errors: `UsageError` for a number that is not. */
export function readJson(typed: string): Json | undefined {
  const reviver: Reviver = (_, value, context) => {
    if (typeof value !== "number") return value;
    const source = context?.source ?? String(value); // Node 20 does not tell what was written
    const rounded = /^-?\d+$/.test(source) && !Number.isSafeInteger(value);
    if (Number.isFinite(value) && !rounded) return value;
    throw new UsageError(`JSON has no room for the number ${source}: put it in quotes, or say --text.`);
  };
  try {
    return (JSON.parse as (text: string, reviver: Reviver) => Json)(typed, reviver);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
