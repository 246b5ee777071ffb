import { charge } from "../budget.ts";
import { EvaluationFailed } from "../errors.ts";
import type { Functions } from "./functions.ts";
import { toCel } from "../values.ts";
import { decodeBase64, encodeBase64 } from "../ext/base64.ts";

/** Functions of bytes: cel-go's encoders extension, and cel-js's own ones, charged to the budget. */
export const BYTES: Functions = {
  "size(bytes): int": (bytes: Uint8Array) => BigInt(bytes.length),
  "bytes.size(): int": (bytes: Uint8Array) => BigInt(bytes.length),
  "Base64Namespace.encode(bytes): string": (_: unknown, bytes: Uint8Array) => encodeBase64(bytes),
  "Base64Namespace.decode(string): bytes": (_: unknown, text: string) => decode(text),
  "bytes.base64(): string": encodeBase64,
  "bytes.hex(): string": hex,
  "bytes.json(): dyn": parse,
};

function decode(text: string): Uint8Array {
  const bytes = decodeBase64(text);
  if (bytes) return bytes;
  throw new EvaluationFailed("invalid_argument", "base64.decode(): the text is not base64");
}

function hex(bytes: Uint8Array): string {
  charge(bytes.length);
  return bytes.toHex();
}

function parse(bytes: Uint8Array): unknown {
  charge(bytes.length / 4);
  try {
    return toCel(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    throw new EvaluationFailed("conversion_failed", "json(): the bytes are not JSON");
  }
}
