/** Quotes a text for a POSIX shell. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Makes a text a word of a shell command. */
export function wordOf(text: string): string {
  return /^[\w@%+:,./-]+$/.test(text) ? text : quoted(text);
}
