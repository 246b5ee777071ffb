import { SHARED_SCOPE, VIEW_SCOPE } from "../../db/state/entry.ts";
import { invalidMember, type Path } from "../http/errors.ts";

/** For schemas: the path of a key, as expressions write it. No scope begins so. */
export const KEY_PATH = `^(${SHARED_SCOPE}|${VIEW_SCOPE})\\.`;
const IS_KEY_PATH = new RegExp(KEY_PATH);

const APART = "Send a path such as `_shared.turn` in two parts: `scope` _shared, `key` turn.";

/** Errors: `invalid_request` for a scope of the system that nobody may write. */
export function writableScope(scope: string, path: Path): void {
  if (!scope.startsWith("_") || scope === SHARED_SCOPE || scope === VIEW_SCOPE) return;
  const own = `Use ${SHARED_SCOPE}, ${VIEW_SCOPE}, or a name of your own.`;
  throw invalidMember(
    path,
    "Scopes that begin with _ belong to the system.",
    IS_KEY_PATH.test(scope) ? APART : own,
  );
}

/** Errors: `invalid_request` for the path of a key: to who reads, no such scope would seem to be no such key. */
export function readableScope(scope: string): void {
  if (IS_KEY_PATH.test(scope)) throw invalidMember(["scope"], "A scope is named without a key.", APART);
}
