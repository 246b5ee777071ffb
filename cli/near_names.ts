import { distance } from "fastest-levenshtein";

/** Synonyms of commands, which the edit distance does not find. */
const MEANT: Record<string, string> = {
  complete: "done finish",
  eval: "expr cel",
  get: "state show",
  invite: "code link",
  invites: "invitations codes",
  join: "agent register enter",
  leave: "quit unregister",
  read: "messages tasks log inbox",
  release: "unreserve unclaim",
  reserve: "reservations reservation paths",
  room: "create open delete",
  rooms: "list",
  say: "send post message tell",
  set: "put write update increment incr inc add",
  take: "next pull",
  tokens: "token rotate revoke",
  view: "views define",
  wait: "until await",
  watch: "follow events live status agents",
  work: "worker run",
};

/** The error for a first word that is no command. */
export function unknownCommand([typed = "", ...others]: string[], known: string[]): string {
  if (typed.startsWith("-")) {
    const command = others.find((word) => known.includes(word)) ?? "COMMAND";
    return `The command comes first, its options after it: convene ${command} ${typed} ...`;
  }
  const word = typed.toLowerCase();
  const near = known.find((name) => MEANT[name]?.split(" ").includes(word)) ?? nearest(word, known);
  const hint = near ? `Did you mean ${near}?` : `There are ${known.join(", ")}.`;
  return `There is no command ${typed}. ${hint}`;
}

/** The maximum edit distance of a name from the one that was meant. */
const NEAR = 2;

/** Returns the one of these names that was probably meant, if one is near, or alone begins so. */
export function nearest(typed: string, known: string[]): string | undefined {
  const plain = (name: string) => name.toLowerCase().replaceAll(/[^a-z]/g, "");
  const begun = known.filter((name) => plain(typed).length > 1 && plain(name).startsWith(plain(typed)));
  if (begun.length === 1) return begun[0];
  return known.map((name) => ({ name, far: distance(plain(name), plain(typed)) }))
    .filter(({ name, far }) => far <= NEAR && far <= name.length / 2)
    .sort((a, b) => a.far - b.far)[0]?.name;
}
