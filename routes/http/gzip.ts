import { constants, crc32, deflateRawSync } from "node:zlib";

type Bytes = Uint8Array<ArrayBuffer>;

export type Packing = ReturnType<typeof createGzip>;

/** The header of RFC 1952, 2.3: deflate, no name, no time, of any system. */
const HEAD = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255);

/** Higher ones save a few percent, and take twice as long. */
const LEVEL = 4;

/** By the piece itself, so that all readers of an event share its compression. */
const known = new WeakMap<Bytes, Bytes>();

/**
 * Makes a gzip body piece by piece: `head`, then the packed pieces, then `tail`. Each piece can be unpacked as soon as it
 * arrives. It does not refer to those before it: so its compression is the same in every body, and a body needs no memory
 * of its own.
 */
export function createGzip() {
  let checksum = 0;
  let size = 0;
  return {
    headers: { "Content-Encoding": "gzip" },
    head: HEAD,
    /** Compresses a piece. Keep pieces short: it blocks. */
    pack(piece: Bytes): Bytes {
      checksum = crc32(piece, checksum);
      size += piece.byteLength;
      return packed(piece);
    },
    tail(): Bytes {
      const tail = new DataView(new ArrayBuffer(10));
      tail.setUint16(0, 0x0300); // an empty last block
      tail.setUint32(2, checksum, true);
      tail.setUint32(6, size, true);
      return new Uint8Array(tail.buffer);
    },
  };
}

function packed(piece: Bytes): Bytes {
  const found = known.get(piece);
  if (found) return found;
  // Copied, since what comes may be a view of far more memory.
  const bytes = new Uint8Array(deflateRawSync(piece, { level: LEVEL, finishFlush: constants.Z_SYNC_FLUSH }));
  known.set(piece, bytes);
  return bytes;
}
