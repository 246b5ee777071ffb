import assert from "node:assert/strict";
import { SERVICE_CODES } from "../../client/codes.ts";
import { codesFile } from "./codes.ts";
import { ConveneError, type ErrorCode } from "../../client/mod.ts";
import { type ErrorCode as ServiceCode, ERRORS } from "../../errors.ts";

type Same<A, B> = [A, B] extends [B, A] ? true : false;

Deno.test("the client's error codes are those of the service, and two for what is no answer of it", async () => {
  assert.deepEqual(SERVICE_CODES.toSorted(), Object.keys(ERRORS).sort());
  const { is, ought } = await codesFile();
  assert.equal(is, ought, "deno task codes");
  const same: Same<ErrorCode, ServiceCode | "no_answer" | "bad_answer"> = true;
  assert.ok(same);
});

Deno.test("an error code that is misspelt does not compile", () => {
  const { code } = new ConveneError("version_conflict", "It has another version.");
  assert.ok(code === "version_conflict");
  const told = (of: ErrorCode) => of;
  // @ts-expect-error: it is precondition_failed
  assert.equal(told("precondition_fail"), "precondition_fail");
  // @ts-expect-error: it is precondition_failed
  assert.ok(new ConveneError("precondition_fail", "The condition is false."));
});
