import type { z } from "zod";
import type { ErrorCode } from "../../errors.ts";
import type { ANSWERS } from "./answers.ts";
import type { Parameter } from "./parameters.ts";

type AnswerName = keyof typeof ANSWERS;

/** Answers that are no JSON, by their media types; none of them where there is no body. */
type Media = Array<`text/${string}`>;

export interface Operation {
  id: string;
  summary: string;
  description: string;
  parameters?: Parameter[];
  /** The schema of the body, under the name that it has in the document. */
  body?: [name: string, schema: z.ZodType];
  /** A body that can be sent as it stands. */
  example?: unknown;
  /** What comes with each status: a schema, or media types. */
  answers: Partial<Record<200 | 201 | 304 | 404, AnswerName | Media>>;
  shown?: unknown;
  /** Headers of a success beside those of every answer about a room. */
  headers?: string[];
  /** Those of its own; what holds for every path of a room, and for all, is added to the document. */
  errors: ErrorCode[];
}

/** Operations by path and method. */
export type Operations = Record<string, Partial<Record<"get" | "post" | "put" | "delete", Operation>>>;

/** What every operation with a body may answer. */
export const BODY: ErrorCode[] = ["too_large"];
