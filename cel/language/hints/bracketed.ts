/** A path into a room that ends in a name, in a source. */
const PATH = /(?<![\w.\])])((?:state\.\w+|agents)(?:\.\w+)*?)\.(\w+(?:-\w+)*)$/;
const REST = /^[-:]\w+(?:[-:]\w+)*/;

/** The maximum characters examined on each side, so that a refusal costs the same for any source. */
export const NEAR = 200;

/** A hint to write `a.b:c` or `a.b-c` as `a["b:c"]`, where `right` continues a path; undefined elsewhere. */
export function bracketed(left: string, right: string): string | undefined {
  const [, base, name] = PATH.exec(left.slice(-NEAR)) ?? [];
  const [rest] = REST.exec(right.slice(0, NEAR)) ?? [];
  return base && rest && `A name with - or : needs brackets. Write \`${base}["${name}${rest}"]\`.`;
}
