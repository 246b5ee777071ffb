import type { Context } from "hono";
import type { Operation } from "../../db/write/context.ts";
import { isRefusal, Refusal } from "../../db/refusal.ts";
import { invalidMember } from "./errors.ts";
import { BasedResponse } from "./headers.ts";

/** Makes the tag of an entry's version, or of a room's revision. */
export function etag(version: number): { ETag: string } {
  return { ETag: `"${version}"` };
}

/** One tag of an entry. A proxy that compresses answers may have made it weak. */
export const ONE_TAG = /^(?:W\/)?"([1-9]\d{0,14})"$/;

/** Suffixes that compressing proxies add to tags: `"1-gzip"`, `"1--gzip"`, `"1;gzip"`, `"1"-gzip`. */
const PACKING = /(?:--?|;)(?:gzip|br|zstd|deflate)("?)$/;

/** Tells whether `If-None-Match` names the tag, weak or with a proxy's suffix: a reader needs no exact match. */
export function isKnown(c: Context, tag: string): boolean {
  const known = c.req.header("if-none-match");
  if (known === undefined) return false;
  const plain = (text: string) => text.trim().replace(/^W\//, "").replace(PACKING, "$1");
  const tags = known.split(",").map(plain);
  return tags.includes("*") || tags.includes(plain(tag));
}

/** Answers 304 if the caller has this version, else undefined. `revision` is the room's. */
export function unchanged(c: Context, version: number, revision: number): Response | undefined {
  if (!isKnown(c, etag(version).ETag)) return undefined;
  return new BasedResponse(null, 304, { "Convene-Revision": String(revision), ...etag(version) });
}

/**
 * Reads the version that a write demands from `If-Match` and `If-None-Match`: 0 if the entry must not exist, undefined
 * without these headers. It has the effect of `if_version`. Errors: `invalid_request`.
 */
export function versionOfHeaders(c: Context, ifVersion?: number): number | undefined {
  const match = c.req.header("if-match");
  const none = c.req.header("if-none-match");
  if (match === undefined && none === undefined) return undefined;
  const [, digits] = ONE_TAG.exec(match?.trim() ?? "") ?? [];
  if (none !== undefined && (none.trim() !== "*" || match !== undefined)) {
    throw invalidMember(
      ["If-None-Match"],
      "If-None-Match of a write must be *, without If-Match.",
      "Send `If-None-Match: *` to create the entry, or `If-Match` with its ETag to change it.",
    );
  }
  if (match !== undefined && digits === undefined) {
    throw invalidMember(["If-Match"], 'If-Match must be one ETag of the entry, such as "3".', hintFor(match));
  }
  if (ifVersion !== undefined) {
    throw invalidMember(["if_version"], "Send either if_version or If-Match and If-None-Match, not both.");
  }
  return Number(digits ?? 0);
}

/** Tells what to send instead of a tag that a proxy has changed. */
function hintFor(match: string): string | undefined {
  const [, version] = ONE_TAG.exec(match.trim().replace(PACKING, "$1")) ?? [];
  return version &&
    `A proxy that packs answers has made this of "${version}". Send "${version}", or \`if_version\` ${version}.`;
}

/** Refuses headers that the request cannot honor, rather than ignore them. Errors: `invalid_request`. */
export function refuseHeaders(c: Context, names: string[], why: string): void {
  for (const name of names) if (c.req.header(name) !== undefined) throw invalidMember([name], why);
}

/** Turns a write's `version_conflict` into `etag_mismatch` if a header named the version. */
export function withEtag<Answer>(
  headerVersion: number | undefined,
  operation: Operation<Answer>,
): Operation<Answer> {
  if (headerVersion === undefined) return operation;
  const run: typeof operation.run = (context) =>
    operation.run(context).catch((error) => Promise.reject(mismatchOf(error)));
  return { ...operation, run };
}

function mismatchOf(error: unknown): unknown {
  if (!isRefusal(error, "version_conflict")) return error;
  return new Refusal("etag_mismatch", error.facts, error.revision);
}
