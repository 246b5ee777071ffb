import { type CelType, Duration, Optional, UnsignedInt } from "./engine.ts";

/** The CEL name of a value's type: `string`, `int`, `list`, `timestamp`, ... */
export function typeName(value: unknown): string {
  switch (typeof value) {
    case "string":
      return "string";
    case "bigint":
      return "int";
    case "number":
      return "double";
    case "boolean":
      return "bool";
  }
  if (value === null) return "null";
  if (Array.isArray(value)) return "list";
  if (value instanceof Map) return "map";
  if (value instanceof Date) return "timestamp";
  if (value instanceof Duration) return "duration";
  if (value instanceof UnsignedInt) return "uint";
  if (value instanceof Uint8Array) return "bytes";
  if (value instanceof Optional) return "optional";
  return "type";
}

/** The same name for a static type. */
export function staticName(type: CelType): string {
  switch (type.kind) {
    case "list":
    case "map":
    case "optional":
      return type.kind;
    case "message":
      return type.name.replace("google.protobuf.", "").toLowerCase();
    default:
      return type.name;
  }
}

/** The beginning of a text, for messages: a key may have millions of characters. */
export function excerpt(text: string): string {
  return text.length > EXCERPT ? `${text.slice(0, EXCERPT)}...` : text;
}

const EXCERPT = 256;
