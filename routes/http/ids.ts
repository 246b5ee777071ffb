import { LIMITS } from "./limits.ts";

const CONTROLS = String.raw`\u0000-\u001f\u007f-\u009f`;
const CONTROL = new RegExp(`[${CONTROLS}]`);

/**
 * For schemas: texts without control characters and not only of spaces. It has no look-arounds, which many engines
 * lack. `textFault` alone refuses lone surrogates, on which engines differ.
 */
export const TEXT_PATTERN = `^[^${CONTROLS}]*[^\\s${CONTROLS}][^${CONTROLS}]*$`;
/** What stands in documents for a name that the reader chooses. Who sends it unchanged has chosen none. */
const PLACEHOLDER = "<your [a-z ]+>";
const IS_PLACEHOLDER = new RegExp(`^${PLACEHOLDER}$`);

/** For schemas: texts that are no name, that are no id, and under which no agent may register. */
export const NO_NAME = `^${PLACEHOLDER}$`;
export const NO_ID = String.raw`^(\.{1,2}|${PLACEHOLDER})$`;
export const NO_AGENT_ID = String.raw`^(_|(\.{1,2}|${PLACEHOLDER})$)`;

/** Returns what is wrong with a name that is sent, if it is one of a document; else undefined. */
export function placeholderFault(text: string): string | undefined {
  if (!IS_PLACEHOLDER.test(text)) return undefined;
  return `must not be ${text}, which stands for a text of your own choice: put that in its place`;
}

/** Returns what is wrong with an id or a key (docs/api.md, "Ids and keys"), or undefined. */
export function textFault(text: string, max: number): string | undefined {
  if (text.length < 1 || text.length > max) return `must have 1 to ${max} characters`;
  if (CONTROL.test(text)) return "must not contain control characters";
  if (!text.isWellFormed()) return "must be well-formed Unicode";
  if (text.trim() === "") return "must not be only spaces";
}

export function idFault(text: string): string | undefined {
  if (text === "." || text === "..") return "must not be . or ..";
  return textFault(text, LIMITS.idLength);
}

export const PLAIN = "in Unicode's form NFKC, without doubled or outer spaces and unseen characters";
/** What nobody sees: beside what is ignored by default, the marks of annotations and a note head of no shape. */
const UNSEEN = /[\p{Default_Ignorable_Code_Point}\ufff9-\ufffb\u{1d159}]/gu;
/** What looks like spaces: they, and the pattern of Braille without dots. */
const SPACES = /[\s\u2800]+/gu;

/** Returns what is wrong with the id of an agent that is to be secure, beside `idFault`: none may look like another. */
export function plainFault(id: string): string | undefined {
  const plain = id.replaceAll(UNSEEN, "").normalize("NFKC").replaceAll(SPACES, " ").trim();
  if (id === plain) return undefined;
  const instead = idFault(plain) === undefined ? `: send ${JSON.stringify(plain)}` : "";
  return `must be ${PLAIN} where the agent is secure${instead}`;
}

/** Stands for every impossible id or key, where the contract answers as if it did not exist. */
const NONE = "";

export function existingId(text: string): string {
  return idFault(text) === undefined ? text : NONE;
}

/** Returns the id if an agent may register under it, else "". */
export function existingAgentId(text: string): string {
  return text.startsWith("_") ? NONE : existingId(text);
}

export function existingKey(text: string): string {
  return textFault(text, LIMITS.keyLength) === undefined ? text : NONE;
}

/** Parses a message's id from a path; returns 0, which no message has, if it is none. */
export function existingMessageId(text: string): number {
  const id = /^[1-9]\d*$/.test(text) ? Number(text) : 0;
  return Number.isSafeInteger(id) ? id : 0;
}
