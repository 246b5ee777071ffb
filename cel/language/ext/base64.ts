import { charge } from "../budget.ts";

/** Encodes as standard base64 with padding. */
export function encodeBase64(bytes: Uint8Array): string {
  charge(bytes.length / 4);
  return bytes.toBase64();
}

/** Decodes standard base64 with or without padding; undefined for other text. */
export function decodeBase64(text: string): Uint8Array | undefined {
  charge(text.length / 4);
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  try {
    return Uint8Array.fromBase64(text);
  } catch {
    return undefined;
  }
}
