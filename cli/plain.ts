/** Controls, and marks that turn the direction of text or end a line: none of them is for a terminal. */
const HOSTILE = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;

/** Text of others on one line, with its control characters shown instead of obeyed. */
export function plain(text: string): string {
  return text.replace(HOSTILE, escaped);
}

/** A value as text: a text as it is, all else as JSON. */
export function shown(value: unknown): string {
  return plain(typeof value === "string" ? value : JSON.stringify(value) ?? "");
}

/** JSON in which a terminal finds nothing to obey: it leaves C1 controls as they are. */
export function json(value: unknown): string {
  return plain(JSON.stringify(value));
}

function escaped(character: string): string {
  const named: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };
  return named[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
