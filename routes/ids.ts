import { z } from "zod";
import { LIMITS } from "./limits.ts";

// deno-lint-ignore no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** What is wrong with an id or a key, by API.md's "Ids and keys"; undefined where nothing is. */
function textFault(text: string, most: number): string | undefined {
  if (text.length < 1 || text.length > most) return `must have 1 to ${most} characters`;
  if (CONTROL.test(text)) return "must not contain control characters";
  if (!text.isWellFormed()) return "must be well-formed Unicode";
  if (text.trim() === "") return "must not be only spaces";
}

function idFault(text: string): string | undefined {
  if (text === "." || text === "..") return "must not be . or ..";
  return textFault(text, LIMITS.idLength);
}

/** `description` and the length are for the API's document, which cannot see into `faultOf`. */
function textSchema(faultOf: (text: string) => string | undefined, maxLength: number, description: string) {
  return z.string().superRefine((text, context) => {
    const message = faultOf(text);
    if (message) context.addIssue({ code: "custom", message });
  }).meta({ minLength: 1, maxLength, description });
}

const NO_CONTROLS = "no control characters, not only spaces";

export const idSchema = textSchema(idFault, LIMITS.idLength, `An id: ${NO_CONTROLS}, not . or ..`);
export const agentIdSchema = textSchema(
  (text) => text.startsWith("_") ? "must not begin with _" : idFault(text),
  LIMITS.idLength,
  `An agent's id: ${NO_CONTROLS}, not . or .., not beginning with _`,
);
/** Keys, and what is named freely: names, roles, kinds. */
export const keySchema = textSchema(
  (text) => textFault(text, LIMITS.keyLength),
  LIMITS.keyLength,
  `A key or a name: ${NO_CONTROLS}`,
);

/** Stands for every id or key that cannot exist, where the contract says that there is simply no such thing. */
const NONE = "";

export function existingId(text: string): string {
  return idFault(text) === undefined ? text : NONE;
}

export function existingKey(text: string): string {
  return textFault(text, LIMITS.keyLength) === undefined ? text : NONE;
}

/** A message's id from a path; 0, which no message has, where it is none. */
export function existingMessageId(text: string): number {
  const id = /^[1-9]\d*$/.test(text) ? Number(text) : 0;
  return Number.isSafeInteger(id) ? id : 0;
}
