import type { Context } from "hono";
import type { Database } from "../../../db/database.ts";
import { Refusal } from "../../../db/refusal.ts";
import { isInForce } from "../../../db/tokens/read.ts";
import { RequestError } from "../errors.ts";
import { isByOperator, tokenOf } from "./credentials.ts";

/** Refuses all but the operator, with a hint: `instead` is what others may do. Errors: `unauthenticated`; `forbidden` for a token of a room that is in force. */
export async function demandOperator(c: Context, database: Database, instead = ""): Promise<void> {
  if (isByOperator(c)) return;
  const token = tokenOf(c);
  if (token && await isInForce(database, token.hash)) throw new Refusal("forbidden", { may: "one_room" });
  throw new RequestError("unauthenticated", "This is for the operator alone.", {
    hint: `The operator sends Authorization: Bearer <OPERATOR_TOKEN>.${instead}`,
  });
}
