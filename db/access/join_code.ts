import { hashOf } from "./token_text.ts";

/** The digits of Crockford's base 32, which lacks I, L, O and U. */
const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH = 10;
const GROUP = 5;

/** The digits for which people write letters that look alike. */
const MEANT: Record<string, string> = { I: "1", L: "1", O: "0" };

interface NewCode {
  /** Two groups of digits, such as `7KQ2M-X9D4T`. Shown once. */
  text: string;
  /** The SHA-256 of the digits, in hex: all that the service stores of it. */
  hash: string;
}

/** Makes a join code of 50 random bits. */
export function newCode({ randomBytes }: { randomBytes(): Uint8Array }): NewCode {
  const digits = [...randomBytes().subarray(0, LENGTH)].map((byte) => DIGITS[byte % DIGITS.length]).join("");
  return { text: `${digits.slice(0, GROUP)}-${digits.slice(GROUP)}`, hash: hashOf(digits) };
}

/**
 * Returns the hash of a code as people write it: in any case, with or without hyphens, with white space around it.
 * Undefined if it is malformed.
 */
export function readCode(text: string): string | undefined {
  const plain = text.trim().toUpperCase().replaceAll("-", "");
  const digits = plain.replaceAll(/[ILO]/g, (letter) => MEANT[letter]!);
  const isCode = digits.length === LENGTH && [...digits].every((digit) => DIGITS.includes(digit));
  return isCode ? hashOf(digits) : undefined;
}
