import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";

export const ROLES = ["admin", "member", "reader"] as const;
export type Role = typeof ROLES[number];

/** What the text of a token tells. Whether the token is in force, only the database knows. */
export interface TokenText {
  /** The SHA-256 of the text, in hex: all that the service stores of it. */
  hash: string;
  role: Role;
  locked: boolean;
}

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BASE = BigInt(DIGITS.length);
/** Digits of 32 bytes, and of a CRC-32. */
const SECRET_DIGITS = 43;
const CHECK_DIGITS = 6;
const BYTES = 32;

const PREFIX = "cvn_";
const KINDS = { admin: "a", member: "m", reader: "r" } as const;
const TOKEN = new RegExp(`^${PREFIX}([amr])_([0-9A-Za-z]{${SECRET_DIGITS}})([0-9A-Za-z]{${CHECK_DIGITS}})$`);

function encode(value: bigint, digits: number): string {
  let text = "";
  for (let left = value; text.length < digits; left /= BASE) text = DIGITS[Number(left % BASE)] + text;
  return text;
}

/** The greatest secret. `DIGITS` are in the order of their characters, so that texts compare as their numbers do. */
const GREATEST = encode(2n ** BigInt(8 * BYTES) - 1n, SECRET_DIGITS);

const checkOf = (text: string) => encode(BigInt(crc32(text)), CHECK_DIGITS);

/**
 * Makes the text of a token of `bytes`, which are 32 random ones. The last bit tells whether its room is locked, so
 * that a request finds the stored id of its room without a read of the database.
 */
export function makeToken(role: Role, locked: boolean, bytes: Uint8Array): string {
  const secret = BigInt(`0x${bytes.toHex()}`) & ~1n | (locked ? 1n : 0n);
  const text = `${PREFIX}${KINDS[role]}_${encode(secret, SECRET_DIGITS)}`;
  return text + checkOf(text);
}

export function looksLikeToken(text: string): boolean {
  return text.startsWith(PREFIX);
}

/** Reads the text of a token; undefined if it is malformed. */
export function readToken(text: string): TokenText | undefined {
  const [, kind, secret, check] = TOKEN.exec(text) ?? [];
  if (kind === undefined || checkOf(text.slice(0, -CHECK_DIGITS)) !== check) return undefined;
  if (secret! > GREATEST) return undefined;
  const odd = DIGITS.indexOf(secret!.at(-1)!) % 2 === 1;
  return { hash: hashOf(text), role: ROLES.find((role) => KINDS[role] === kind)!, locked: odd };
}

export function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
