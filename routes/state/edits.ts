import type { Json } from "../../db/json.ts";
import type { Change, Edit } from "../../db/state/edit.ts";
import { invalidMember, type Path } from "../http/errors.ts";
import { LIMITS } from "../http/limits.ts";
import { DEEPER } from "../http/input/wordings.ts";
import { checkSize } from "../http/requests.ts";
import type { StateWriteBody } from "./schemas.ts";

const ONE_OF_THEM = "Leave one of them out.";

const EDITS = ["merge", "append", "append_all", "remove", "set", "unset"] as const;

/** Returns the edit of a write; undefined if the write is none. Errors: `invalid_request`, `too_large`. */
export function editOf(body: StateWriteBody, at: (member: string) => Path): Edit | undefined {
  const [name, other, ...more] = EDITS.filter((name) => body[name] !== undefined);
  if (name === undefined) return undefined;
  if (more.length > 0 || other !== undefined && !(name === "set" && other === "unset")) {
    const hint = "A write has one edit, or `set` and `unset`. A batch has several writes, all or none.";
    throw invalidMember(at(other!), `${other} must not stand beside ${name}.`, hint);
  }
  if (body.expr !== undefined) {
    throw invalidMember(at(name), `${name} must not stand beside expr: a view is computed.`, ONE_OF_THEM);
  }
  if ((body.value ?? null) !== null) {
    throw invalidMember(at("value"), `value must not stand beside ${name}.`, ONE_OF_THEM);
  }
  if ((body.increment ?? false) !== false) {
    throw invalidMember(at("increment"), `increment must not stand beside ${name}.`, ONE_OF_THEM);
  }
  const { merge, append, append_all, remove } = body;
  switch (name) {
    case "merge":
      return { kind: "merge", patch: merge! };
    case "remove":
      return { kind: "remove", item: remove! };
    case "append":
      checkSize(append, at("append").join("."));
      checkDepth(append!, 1, at("append"));
      return { kind: "append", items: [append!] };
    case "append_all":
      checkSize(append_all, at("append_all").join("."));
      return { kind: "append", items: append_all! };
    default:
      return { kind: "change", changes: changesOf(body, at) };
  }
}

/** Makes the changes of `set`, in its order, then those of `unset`, the last first. */
function changesOf({ set, unset }: StateWriteBody, at: (member: string) => Path): Change[] {
  if (set) checkPointers(Object.keys(set), at("set"));
  if (unset) checkPointers(unset, at("unset"));
  const changes = Object.entries(set ?? {}).map(([path, value]): Change => {
    const tokens = tokensOf(path, [...at("set"), path]);
    checkDepth(value, tokens.length, [...at("set"), path]);
    return { path, tokens, value };
  });
  const removals = (unset ?? []).map((path, n): Change => ({
    path,
    tokens: tokensOf(path, [...at("unset"), n]),
  }));
  return [...changes, ...removals.reverse()];
}

function checkPointers({ length }: string[], path: Path): void {
  if (length === 0) throw invalidMember(path, "must hold at least one JSON pointer", POINTER);
  if (length <= LIMITS.editPointers) return;
  throw invalidMember(
    path,
    `must hold at most ${LIMITS.editPointers} JSON pointers`,
    "Split it into several writes.",
  );
}

const POINTER = "Write a pointer as /a/b/0; in a name, ~1 stands for / and ~0 for ~.";

/** Decodes a JSON pointer (RFC 6901) into a value. Errors: `invalid_request`. */
function tokensOf(pointer: string, path: Path): string[] {
  if (pointer === "") {
    throw invalidMember(
      path,
      "must point into the value, not to the whole.",
      "To write the whole, send it as `value`.",
    );
  }
  if (!pointer.startsWith("/")) {
    throw invalidMember(path, "must be a JSON pointer, which begins with /.", POINTER);
  }
  if (/~(?![01])/.test(pointer)) {
    throw invalidMember(path, "must be a JSON pointer: a ~ stands before 0 or 1.", POINTER);
  }
  return pointer.slice(1).split("/").map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** A value's nesting at the most: the body that writes it has braces of its own. */
const MAX_DEPTH = LIMITS.jsonDepth - 1;

/** Refuses a value that would be nested too deep so many levels below another one. */
function checkDepth(value: Json, below: number, path: Path): void {
  if (below + depthOf(value) <= MAX_DEPTH) return;
  throw invalidMember(path, `The value may be nested at most ${MAX_DEPTH} deep.`, DEEPER);
}

function depthOf(value: Json): number {
  if (typeof value !== "object" || value === null) return 0;
  let depth = 0;
  for (const child of Object.values(value)) depth = Math.max(depth, depthOf(child));
  return depth + 1;
}
