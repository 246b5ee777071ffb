import type { Node } from "./engine.ts";

/**
 * The source fails over any data: a syntax error, an unknown name, a type error. `message`: one line without the
 * source. `position`: the 0-based UTF-16 offset of the error, at the end the length of the source. `hint`: a sentence
 * that says what to write instead.
 */
export class InvalidExpression extends Error {
  override readonly name = "InvalidExpression";

  constructor(readonly code: string, message: string, readonly position: number, readonly hint?: string) {
    super(message);
  }
}

/**
 * The expression has no JSON value over this data, or none within its budget. `code` is stable: `no_such_key`,
 * `no_such_overload`, `budget_exceeded`, `not_json`, ... The node around a failure adds the `position` if it has none.
 */
export class EvaluationFailed extends Error {
  override readonly name = "EvaluationFailed";

  constructor(readonly code: string, message: string, public position?: number, readonly hint?: string) {
    super(message);
  }
}

/** Checking failed. `cause`: the error of the check; `root`: the tree that was checked. */
export class CheckFailed extends Error {
  override readonly name = "CheckFailed";

  constructor(override readonly cause: unknown, readonly root: Node) {
    super(cause instanceof Error ? cause.message : "The expression is refused");
  }
}
