import type { Include } from "../cel/waits/conditions/include.ts";
import { SHARED_SCOPE, VIEW_SCOPE } from "../db/state/entry.ts";
import { invalidMember, type RequestError } from "./http/errors.ts";
import { LIMITS } from "./http/limits.ts";

/** Nobody writes scopes that begin with _, but for these. */
const SYSTEM = [SHARED_SCOPE, VIEW_SCOPE];
const LISTS = String.raw`(?:messages|changes):after:\d+`;
const fields = (scope: string) => `(?:state(?:\\.${scope})?|agents|messages|${LISTS})`;
const fieldsOf = (own: string) => fields(`(?:${[...SYSTEM, own].join("|")})`);
const IN_TEXT = fieldsOf(String.raw`[^,_\s]|[^,_][^,]*[^,\s]`);

export const INCLUDE =
  "Comma-separated, or (in a body) an array: `state`, `state.<scope>`, `agents`, `messages`, `messages:after:<id>`, " +
  `\`changes:after:<revision>\`; at most ${LIMITS.includeFields}`;

/** Describe to schemas what `includeOf` accepts: an element of an array, and a whole text. */
export const FIELD_PATTERN = `^${fieldsOf(String.raw`[^_][\s\S]*`)}$`;
export const INCLUDE_PATTERN = String.raw`^\s*(?:${IN_TEXT}\s*)?(?:,\s*(?:${IN_TEXT}\s*)?)*$`;

function noField(field: string, hint: string): RequestError {
  return invalidMember(["include"], `\`include\` has no field ${JSON.stringify(field)}.`, hint);
}

/** Parses `include`. Errors: `invalid_request` for an unknown field, or too many fields. */
export function includeOf(fields: string | string[]): Include {
  const include: Include = {};
  // Names in an array are not trimmed.
  const list = typeof fields === "string"
    ? fields.split(",").map((name) => name.trim()).filter((name) => name !== "")
    : fields;
  if (list.length > LIMITS.includeFields) {
    throw invalidMember(
      ["include"],
      `include may name at most ${LIMITS.includeFields} fields.`,
      "`state` includes every scope.",
    );
  }
  for (const field of list) {
    const [, scope] = field.match(/^state\.(.+)$/s) ?? [];
    const [, list, after] = field.match(/^(messages|changes):after:(\d+)$/) ?? [];
    if (field === "state") include.state = "all";
    else if (field === "agents" || field === "messages") include[field] = true;
    else if (scope?.startsWith("_") && !SYSTEM.includes(scope)) {
      const hint =
        "A scope is included whole: `state._shared`, `state._view` or `state.<scope>` of an agent.";
      throw noField(field, hint);
    } else if (scope !== undefined) {
      include.state = include.state === "all" ? "all" : [...new Set([...include.state ?? [], scope])];
    } else if (after !== undefined) {
      include[list === "changes" ? "changesAfter" : "messagesAfter"] = {
        after: Math.min(Number(after), Number.MAX_SAFE_INTEGER),
        limit: LIMITS.listLength,
      };
    } else {
      const hint =
        "Use state, state.<scope>, agents, messages, messages:after:<id> or changes:after:<revision>.";
      throw noField(field, hint);
    }
  }
  return include;
}
