const LETTERS = "abcdefghijkmnpqrstuvwxyz23456789";

/** Random letters, of 5 bits each. Pages without https have no `crypto.randomUUID`. */
export function drawn(count) {
  return Array.from(crypto.getRandomValues(new Uint8Array(count)), (byte) => LETTERS[byte % 32]).join("");
}
