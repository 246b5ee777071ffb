import { hashOf } from "./token_text.ts";

/** Digits of Crockford's base 32: no I, L, O or U. */
const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH = 10;
const GROUP = 5;

/** What people write for a digit that looks alike. */
const MEANT: Record<string, string> = { I: "1", L: "1", O: "0" };

/** A join code that is being made. Its text is shown once. */
export interface NewCode {
  /** In two groups, such as `7KQ2M-X9D4T`. */
  text: string;
  /** The SHA-256 of its digits, in hex: all that the service keeps of it. */
  hash: string;
}

/** Makes a join code of 50 random bits. */
export function newCode({ randomBytes }: { randomBytes(): Uint8Array }): NewCode {
  const digits = [...randomBytes().subarray(0, LENGTH)].map((byte) => DIGITS[byte % DIGITS.length]).join("");
  return { text: `${digits.slice(0, GROUP)}-${digits.slice(GROUP)}`, hash: hashOf(digits) };
}

/** Returns the hash of a code as people write it: in any case, with or without hyphens. Undefined if it is none. */
export function readCode(text: string): string | undefined {
  const digits = text.toUpperCase().replaceAll("-", "").replaceAll(/[ILO]/g, (letter) => MEANT[letter]!);
  const isCode = digits.length === LENGTH && [...digits].every((digit) => DIGITS.includes(digit));
  return isCode ? hashOf(digits) : undefined;
}
