/** Control characters, bidirectional marks and line separators, which a terminal must not receive from others. */
const HOSTILE = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;

/**
 * Formats others' text on one line. Escapes control characters, so that the terminal does not obey them: JSON allows
 * some of them too.
 */
export function plain(text: string): string {
  return text.replace(HOSTILE, escaped);
}

/** Words a failure in sentences: what it is, and what to do. */
export function worded({ message, hint }: { message: string; hint?: string }): string {
  const sentence = /[.!?:]$/.test(message) ? message : `${message}.`;
  return hint ? `${sentence} ${hint}` : sentence;
}

/** Formats a value: a string as it is, all else as JSON. */
export function shown(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value) ?? "";
}

function escaped(character: string): string {
  const named: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };
  return named[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
