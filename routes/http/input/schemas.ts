export type Parts = typeof import("./schema_parts.ts");

/** Makes schemas on first use. */
export function made<Schemas>(make: (parts: Parts) => Schemas): (parts: Parts) => Schemas {
  let schemas: Schemas | undefined;
  return (parts) => schemas ??= make(parts);
}

let parts: Promise<Parts> | undefined;

/** Loads zod with the first body: an instance started by a read answers in 101 ms without it, in 120 ms with it. */
export function loadParts(): Promise<Parts> {
  return parts ??= import("./schema_parts.ts");
}

/** Members of which null is a value. */
const NULLABLE = ["value", "body", "result", "append", "remove"];

/** Removes the members of a parsed body whose null means absent. */
export function withoutNulls<Body extends object>(body: Body): Body {
  const members = body as Record<string, unknown>;
  for (const name in members) {
    if (members[name] === null && !NULLABLE.includes(name)) delete members[name];
  }
  if (Array.isArray(members.writes)) members.writes.forEach(withoutNulls);
  return body;
}
