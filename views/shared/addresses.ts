/** The address of a thing within the page is its id there; following one scrolls to it and marks it. */
export const messageId = (id: number) => `m${id}`;
export const agentId = (id: string) => `agent/${encodeURIComponent(id)}`;
export const scopeId = (scope: string) => `scope/${encodeURIComponent(scope)}`;
export const entryId = (scope: string, key: string) =>
  `state/${encodeURIComponent(scope)}/${encodeURIComponent(key)}`;

const HUES = 36;
/** One of many under which the names that people like to give lie well apart. */
const SEED = 6440;

/** An agent's own steady hue, as a class: style attributes are not allowed. */
export function hue(agent: string | null): string {
  if (agent === null) return "hue-none";
  let hash = SEED;
  for (let i = 0; i < agent.length; i++) hash = Math.imul(hash ^ agent.charCodeAt(i), 16777619);
  // The last bits of this hash alone are similar for similar names.
  hash = Math.imul(hash ^ (hash >>> 15), 2246822507);
  return `hue-${((hash ^ (hash >>> 13)) >>> 0) % HUES}`;
}

/** The style of those classes: each sets its hue alone. */
export const HUES_STYLE = Array.from({ length: HUES }, (_, n) => `.hue-${n} { --h: ${n * 360 / HUES}; }`)
  .join("\n");

/** Quotes a text for a POSIX shell. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A text as a word of a shell's command: quoted where the shell would read something in it. */
export function wordOf(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : quoted(text);
}
