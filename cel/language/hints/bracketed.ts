/** A path into a room that ends in a name, as its source has it. */
const PATH = /(?<![\w.\])])((?:state\.\w+|agents)(?:\.\w+)*?)\.(\w+(?:-\w+)*)$/;
const REST = /^[-:]\w+(?:[-:]\w+)*/;

/** Looks no further than this to both sides, so that a refusal costs the same for any source. */
const NEAR = 200;

/** `a.b:c` or `a.b-c` as `a["b:c"]`, where `right` goes on right behind a path; undefined where it does not. */
export function bracketed(left: string, right: string): string | undefined {
  const [, base, name] = PATH.exec(left.slice(-NEAR)) ?? [];
  const [rest] = REST.exec(right.slice(0, NEAR)) ?? [];
  return base && rest && `Names with - or : need brackets: write \`${base}["${name}${rest}"]\`.`;
}
