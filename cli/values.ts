import type { Json } from "../client/mod.ts";

/** The command was used wrongly: it exits with 2. */
export class UsageError extends Error {}

/** Reads a word as a value: a number only if it prints as it was typed, other JSON as JSON, else text. */
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

/** Parses JSON; undefined for other text. Errors: `UsageError` for a number that a double would change. */
export function readJson(typed: string): Json | undefined {
  const reviver: Reviver = (_, value, context) => {
    if (typeof value !== "number") return value;
    const source = context?.source ?? String(value); // Node 20 has no `context`
    const rounded = /^-?\d+$/.test(source) && !Number.isSafeInteger(value);
    if (Number.isFinite(value) && !rounded) return value;
    throw new UsageError(`JSON cannot hold the number ${source}: put it in quotes, or say --text.`);
  };
  try {
    return (JSON.parse as (text: string, reviver: Reviver) => Json)(typed, reviver);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
