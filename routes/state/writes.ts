import type { Gates } from "../../cel/rooms/gates.ts";
import { SHARED_SCOPE, VIEW_SCOPE } from "../../db/state/entry.ts";
import type { StateWrite } from "../../db/state/put.ts";
import type { Operation } from "../../db/write/context.ts";
import { invalidMember, type Path } from "../http/errors.ts";
import { MISSING } from "../http/input/wordings.ts";
import { checkSize, compileOf } from "../http/requests.ts";
import { editOf } from "./edits.ts";
import type { StateWriteBody } from "./schemas.ts";
import { writableScope } from "./scopes.ts";

/**
 * Checks one write, of a body or at `path` in a batch, and converts it for the database. `details` are added to an
 * `invalid_expression`. Errors: `invalid_request`, `invalid_expression`, `too_large`.
 */
export async function writeOf(
  body: StateWriteBody,
  path: Path,
  details: Record<string, unknown> = {},
): Promise<StateWrite> {
  const { scope = SHARED_SCOPE, key, value, if_version: ifVersion, expr, ttl } = body;
  const at = (member: string) => [...path, member];
  writableScope(scope, at("scope"));
  if (scope === VIEW_SCOPE && expr === undefined) {
    throw invalidMember(
      at("expr"),
      "A view needs an expr.",
      "Send its CEL expression as `expr`, and no value.",
    );
  }
  if (scope !== VIEW_SCOPE && expr !== undefined) {
    throw invalidMember(at("expr"), `Only a view has an expr.`, `Write it to scope ${VIEW_SCOPE}.`);
  }
  const edit = editOf(body, at);
  const delta = edit ? undefined : deltaOf(body, at);
  if (expr !== undefined) {
    if (delta !== undefined) {
      const hint = "Leave `increment` out: `expr` gives the value.";
      throw invalidMember(at("increment"), "A view cannot be incremented.", hint);
    }
    if (ttl !== undefined) {
      const hint = "Leave `ttl` out, and delete the view when nobody needs it.";
      throw invalidMember(at("ttl"), "A view has no ttl.", hint);
    }
    if ((value ?? null) !== null) {
      throw invalidMember(
        at("value"),
        "must not stand beside expr: a view is computed",
        "Leave one of them out.",
      );
    }
    await compileOf(expr, details);
    return { scope, key, expr, ifVersion };
  }
  if (edit) return { scope, key, edit, ifVersion, ttl };
  if (delta !== undefined) return { scope, key, delta, ifVersion, ttl };
  if (value === undefined) {
    const message = `\`${at("value").join(".")}\` ${MISSING}.`;
    throw invalidMember(at("value"), message, "To store nothing, send null; to remove a key, delete it.");
  }
  checkSize(value, at("value").join("."));
  return { scope, key, value, ifVersion, ttl };
}

/**
 * Puts a write behind its gate, if it has one, and into the order of those whose values are computed. Errors of its run:
 * those of `compileOf` and `Gates.through`.
 */
export function gated<Answer>(
  gates: Gates,
  { if: expression, agent = null }: { if?: string; agent?: string | null },
  room: string,
  operation: Operation<Answer>,
): Operation<Answer> {
  const { acts, run, changes } = operation;
  if (expression === undefined && !changes?.some((change) => "edit" in change)) return operation;
  return {
    ...operation,
    async run(context) {
      const { viewer } = context;
      const condition = expression === undefined ? undefined : await compileOf(expression);
      const own = { viewer, acts, agent, condition, changes };
      return await gates.through(room, { ...own, run: (judged) => run(context, judged) });
    },
  };
}

/** Returns the amount of an increment; undefined if the write is none. Errors: `invalid_request`. */
function deltaOf({ increment, value }: StateWriteBody, at: (member: string) => Path): number | undefined {
  if (increment === undefined || increment === false) return undefined;
  if (increment === true) {
    if (value === undefined || typeof value === "number") return value ?? 1;
    const hint = "Send the number to add as `value`, or leave it out to add 1.";
    throw invalidMember(at("value"), "value must be a number, to increment by.", hint);
  }
  if (value === undefined) return increment;
  const hint = "Leave `value` out, or send `increment: true` with it.";
  throw invalidMember(at("value"), "value must not stand beside an increment that is a number.", hint);
}
