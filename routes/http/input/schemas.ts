/** What schemas are made of. */
export type Parts = typeof import("./schema_parts.ts");

/** Schemas that are made of their parts when they are first needed. */
export function made<Schemas>(make: (parts: Parts) => Schemas): (parts: Parts) => Schemas {
  let schemas: Schemas | undefined;
  return (parts) => schemas ??= make(parts);
}

let parts: Promise<Parts> | undefined;

/** Loaded with the first body: an instance that is started by a read answers it in 101 ms, with zod in 120. */
export function loadParts(): Promise<Parts> {
  return parts ??= import("./schema_parts.ts");
}

/** Members of which null is a value. */
const NULLABLE = ["value", "body"];

/** A parsed body without the members that are null for being absent. */
export function withoutNulls<Body extends object>(body: Body): Body {
  const members = body as Record<string, unknown>;
  for (const name in members) {
    if (members[name] === null && !NULLABLE.includes(name)) delete members[name];
  }
  if (Array.isArray(members.writes)) members.writes.forEach(withoutNulls);
  return body;
}
