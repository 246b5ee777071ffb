import type { Node } from "./engine.ts";

/**
 * The source can never be evaluated, whatever the data: a syntax error, an unknown name, a type error.
 * `message` is one line without the source; `position` is the 0-based UTF-16 offset of the trouble (the
 * length of the source where its end is); `hint` is one sentence that says what to write instead.
 */
export class InvalidExpression extends Error {
  override readonly name = "InvalidExpression";

  constructor(readonly code: string, message: string, readonly position: number, readonly hint?: string) {
    super(message);
  }
}

/**
 * The expression has no JSON value over this data, or not within its budget. `code` is a stable word:
 * `no_such_key`, `no_such_overload`, `budget_exceeded`, `not_json`, ... What throws
 * without a `position` is given one by the node around it.
 */
export class EvaluationFailed extends Error {
  override readonly name = "EvaluationFailed";

  constructor(readonly code: string, message: string, public position?: number, readonly hint?: string) {
    super(message);
  }
}

/** Checking failed, with what the check threw and the tree that was checked. */
export class CheckFailed extends Error {
  override readonly name = "CheckFailed";

  constructor(override readonly cause: unknown, readonly root: Node) {
    super(cause instanceof Error ? cause.message : "The expression is refused");
  }
}
