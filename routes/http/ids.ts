import { LIMITS } from "./limits.ts";

const CONTROLS = String.raw`\u0000-\u001f\u007f-\u009f`;
const CONTROL = new RegExp(`[${CONTROLS}]`);

/**
 * Texts that have no control character and not only spaces, for schemas: without look-arounds, which many engines
 * lack. Halves of characters are left to `textFault`: engines differ in what a pattern says of them.
 */
export const TEXT_PATTERN = `^[^${CONTROLS}]*[^\\s${CONTROLS}][^${CONTROLS}]*$`;
/** Texts that are no id, and no id of an agent that may be registered, for schemas. */
export const NO_ID = String.raw`^\.{1,2}$`;
export const NO_AGENT_ID = String.raw`^(_|\.{1,2}$)`;

/** What is wrong with an id or a key, by "Ids and keys" of docs/api.md; undefined where nothing is. */
export function textFault(text: string, max: number): string | undefined {
  if (text.length < 1 || text.length > max) return `must have 1 to ${max} characters`;
  if (CONTROL.test(text)) return "must not contain control characters";
  if (!text.isWellFormed()) return "must be well-formed Unicode";
  if (text.trim() === "") return "must not be only spaces";
}

/** What is wrong with an id; undefined where nothing is. */
export function idFault(text: string): string | undefined {
  if (text === "." || text === "..") return "must not be . or ..";
  return textFault(text, LIMITS.idLength);
}

/** Stands for every id or key that cannot exist, where the contract says that there is simply no such thing. */
const NONE = "";

export function existingId(text: string): string {
  return idFault(text) === undefined ? text : NONE;
}

/** The id of an agent that may be registered; "" where none can be. */
export function existingAgentId(text: string): string {
  return text.startsWith("_") ? NONE : existingId(text);
}

export function existingKey(text: string): string {
  return textFault(text, LIMITS.keyLength) === undefined ? text : NONE;
}

/** A message's id from a path; 0, which no message has, where it is none. */
export function existingMessageId(text: string): number {
  const id = /^[1-9]\d*$/.test(text) ? Number(text) : 0;
  return Number.isSafeInteger(id) ? id : 0;
}
