/** Ids of elements, which are their addresses in the page: following one scrolls to the element and marks it. */
export const messageId = (id: number) => `m${id}`;
export const agentId = (id: string) => `agent/${encodeURIComponent(id)}`;
export const reservationId = (id: string) => `reservation/${encodeURIComponent(id)}`;
export const scopeId = (scope: string) => `scope/${encodeURIComponent(scope)}`;
export const entryId = (scope: string, key: string) =>
  `state/${encodeURIComponent(scope)}/${encodeURIComponent(key)}`;

const HUES = 36;
/** One of the seeds that give common names well separated hues. */
const SEED = 6440;

/** Returns an agent's constant hue as a class: the policy forbids style attributes. */
export function hue(agent: string | null): string {
  if (agent === null) return "hue-none";
  let hash = SEED;
  for (let i = 0; i < agent.length; i++) hash = Math.imul(hash ^ agent.charCodeAt(i), 16777619);
  // Mixes the bits: similar names have similar low bits.
  hash = Math.imul(hash ^ (hash >>> 15), 2246822507);
  return `hue-${((hash ^ (hash >>> 13)) >>> 0) % HUES}`;
}

/** The style of the classes of hues. */
export const HUES_STYLE = Array.from({ length: HUES }, (_, n) => `.hue-${n} { --h: ${n * 360 / HUES}; }`)
  .join("\n");

/** Whether an address is of whichever machine asks for it, so that it says nothing to another one. */
export function isOfThisMachine(address: string): boolean {
  return /^(?:(?:.+\.)?localhost|127(?:\.\d+){3}|\[::1\])$/.test(new URL(address).hostname);
}

/** Quotes a text for a POSIX shell. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Makes a text a word of a shell command: quoted if the shell would interpret it. */
export function wordOf(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : quoted(text);
}

/** Begins a command of curl; the token is left to the shell, so that nobody copies one. */
export function curlOf(needsToken: boolean): string {
  return needsToken ? 'curl -s -H "Authorization: Bearer $CONVENE_TOKEN"' : "curl -s";
}
