/** Control characters, bidirectional marks and line separators, which a terminal must not receive from others. */
const HOSTILE = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;

/** Formats others' text on one line. Escapes control characters, so that the terminal does not obey them. */
export function plain(text: string): string {
  return text.replace(HOSTILE, escaped);
}

/** Ends a text that others follow with a full stop. */
export function sentence(text: string): string {
  return /[.!?:]$/.test(text) ? text : `${text}.`;
}

/** Formats a value: a string as it is, all else as JSON. */
export function shown(value: unknown): string {
  return plain(typeof value === "string" ? value : JSON.stringify(value) ?? "");
}

/** Serializes to JSON. Escapes the C1 controls too, which JSON allows and a terminal obeys. */
export function json(value: unknown): string {
  return plain(JSON.stringify(value));
}

function escaped(character: string): string {
  const named: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };
  return named[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
