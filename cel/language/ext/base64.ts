import { charge } from "../budget.ts";

/** Standard base64 with padding. */
export function encodeBase64(bytes: Uint8Array): string {
  charge(bytes.length / 4);
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** Standard base64, padded or not; undefined where the text is none. */
export function decodeBase64(text: string): Uint8Array | undefined {
  charge(text.length / 4);
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}
