/*
 * Tell clients which tools need people's approval. By default a tool counts as destructive, and as reaching beyond the
 * service.
 */

/** Changes nothing. */
export const READS = { readOnlyHint: true, openWorldHint: false };

/** Adds to a room, and takes nothing away. */
export const ADDS = { readOnlyHint: false, destructiveHint: false, openWorldHint: false };

/** Adds once: the same call again changes nothing. */
export const ADDS_ONCE = { ...ADDS, idempotentHint: true };

/** Takes away what was there, or writes over it. */
export const REPLACES = { readOnlyHint: false, destructiveHint: true, openWorldHint: false };
