/*
 * Tell clients which tools need people's approval. By default a tool counts as one that changes something, takes away,
 * and reaches beyond the service: what is so by default is left out, since a model reads every tool's annotations.
 */

/** Changes nothing. */
export const READS = { readOnlyHint: true, openWorldHint: false };

/** Adds to a room, and takes nothing away. */
export const ADDS = { destructiveHint: false, openWorldHint: false };

/** Adds once: the same call again changes nothing. */
export const ADDS_ONCE = { ...ADDS, idempotentHint: true };

/** Takes away what was there, or writes over it. */
export const REPLACES = { destructiveHint: true, openWorldHint: false };
