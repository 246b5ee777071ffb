import { ACCESS } from "./errors/access.ts";
import { REQUESTS } from "./errors/requests.ts";
import { ROOMS } from "./errors/rooms.ts";
import type { Row, Words } from "./errors/row.ts";
import { SERVICE } from "./errors/service.ts";
import { STATE } from "./errors/state.ts";
import { TASKS } from "./errors/tasks.ts";

export type { Row, Words };

/**
 * The table of error codes, with the rows of `errors/`: the only place with each one's status, cause, cure and further
 * members. The API's answers, /docs/errors, OpenAPI and the client's type are made from it. A test compares docs/api.md
 * with it.
 */
export const ERRORS = {
  ...REQUESTS,
  ...ACCESS,
  ...ROOMS,
  ...STATE,
  ...TASKS,
  ...SERVICE,
} satisfies Record<string, Row>;

type Errors = typeof ERRORS;
export type ErrorCode = keyof Errors;

/** Codes that depend on the state of the room or service. All others depend on the request alone. */
export type RefusalCode = {
  [Code in ErrorCode]: Errors[Code] extends { say: unknown } ? Code : never;
}[ErrorCode];

/** The facts of a refusal, such as the key, the version found, or the limit. */
export type Facts<Code extends RefusalCode> = Code extends RefusalCode ? Parameters<Errors[Code]["say"]>[0]
  : never;
