import type { z } from "zod";
import { AGENTS } from "../agents.ts";
import { CHANGES } from "../changes.ts";
import { EVAL } from "../eval.ts";
import { EVENTS } from "../events.ts";
import { HEALTH } from "../health.ts";
import { INVITES } from "../invites.ts";
import { JOIN } from "../join.ts";
import { METRICS } from "../metrics.ts";
import { MESSAGES } from "../messages/messages.ts";
import { TAKE } from "../messages/take.ts";
import { TASKS } from "../messages/tasks.ts";
import { FRONT } from "../pages/guide.ts";
import { RESERVATIONS } from "../reservations.ts";
import { ROOMS } from "../rooms.ts";
import { STATE } from "../state/operations.ts";
import { TOKENS } from "../tokens.ts";
import { WAIT } from "../wait.ts";
import type { Parts } from "../http/input/schemas.ts";
import type { Operations } from "./operation.ts";

const RESOURCES = [
  ROOMS,
  AGENTS,
  MESSAGES,
  TASKS,
  TAKE,
  RESERVATIONS,
  STATE,
  EVAL,
  WAIT,
  CHANGES,
  EVENTS,
  FRONT,
  TOKENS,
  INVITES,
  JOIN,
  HEALTH,
  METRICS,
];

/** Every operation of the API. A test finds any that is served but missing here. */
export const OPERATIONS: Operations = Object.assign({}, ...RESOURCES.map(({ operations }) => operations));

/** The schemas of bodies, by name. */
export const bodiesOf = (parts: Parts): Record<string, z.ZodType> =>
  Object.assign({}, ...RESOURCES.map(({ bodies }) => bodies(parts)));

/** The schemas of answers, by name. A test compares every answer of the contract suite with them. */
export const answersOf = (parts: Parts): Record<string, z.ZodType> =>
  Object.assign({}, ...RESOURCES.map(({ answers }) => answers(parts)));
