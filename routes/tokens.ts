import type { Hono } from "hono";
import { ROLES } from "../db/access/token_text.ts";
import { rotateToken } from "../db/tokens/rotate.ts";
import { createToken } from "../db/tokens/make.ts";
import { listTokens } from "../db/tokens/read.ts";
import { revokeToken } from "../db/tokens/revoke.ts";
import type { Token } from "../db/tokens/token.ts";
import { tokenOf } from "./http/callers/credentials.ts";
import { ownAgent } from "./http/callers/own_agent.ts";
import { answerOnce, replayedHeader, rotationKeyOf, shownOnce } from "./http/idempotency.ts";
import { existingId } from "./http/ids.ts";
import { EXAMPLE_TIME } from "./http/input/wordings.ts";
import { LIMITS } from "./http/limits.ts";
import { large } from "./http/methods.ts";
import { readBody, refuseMembers, reply, replyLarge, roomOf } from "./http/requests.ts";
import { describe, serve } from "./openapi/operation.ts";
import { KEY, secretKey } from "./openapi/parameters.ts";
import type { Services } from "./services.ts";

const shown = {
  id: "5b0e5d0c-5b5c-4c0e-9a3e-0f6a3c1d2e4f",
  role: "member",
  agent: "alice",
  note: null,
  created_at: EXAMPLE_TIME,
  expires_at: null,
  last_used_at: null,
};

/** The hint of a repetition, which does not show the token again. */
const TOKEN_LOST = "A token is shown once. Revoke this one by its id, and make another under a new key.";

export const TOKENS = describe({
  bodies: ({ z, absent, secureId, note: noteText }) => ({
    TokenRequest: z.strictObject({
      role: z.enum(ROLES),
      agent: absent(secureId).describe("The agent that it is bound to, which becomes secure"),
      ttl: absent(z.int().min(LIMITS.minTokenSeconds).max(LIMITS.tokenSeconds))
        .describe("Seconds until it ends; its maker's end at the latest"),
      note: absent(noteText).describe("Whom it is for, shown in lists"),
    }),
    TokenRotation: z.strictObject({
      revoke_made: absent(z.boolean()).describe("Revokes all that it made too"),
    }),
  }),
  answers({ z, time }) {
    const Token = z.object({
      id: z.string(),
      role: z.enum(ROLES),
      agent: z.string().nullable(),
      note: z.string().nullable(),
      created_at: time,
      expires_at: time.nullable(),
      last_used_at: time.nullable().describe("The beginning of the last hour in which it was used"),
    });
    return {
      Token,
      MadeToken: Token.extend({
        token: z.string().nullable().describe("Shown once; null in a repetition"),
        hint: z.string().optional(),
      }),
      TokenList: z.array(Token),
      RevokedToken: z.object({ revoked: z.literal(true) }),
    };
  },
  operations: {
    "/rooms/{room}/tokens": {
      get: {
        id: "listTokens",
        summary: "List the tokens in force, without their texts",
        description: "An admin sees all; others see their own and those that it made.",
        answers: { 200: "TokenList" },
        shown: [shown],
        errors: ["unauthenticated"],
      },
      post: {
        id: "createToken",
        summary: "Make a token of the room",
        description:
          "An admin makes any. A member makes readers, and members for its own agent. The text is shown once.",
        parameters: [KEY],
        body: "TokenRequest",
        example: { role: "reader", ttl: 3600, note: "dashboard" },
        answers: { 201: "MadeToken" },
        shown: { ...shown, token: "cvn_m_0000000000000000000000000000000000000000000000000" },
        errors: ["unauthenticated", "forbidden", "limit_reached"],
      },
    },
    "/rooms/{room}/tokens/rotate": {
      post: {
        id: "rotateToken",
        summary: "Give the token that the request shows a new text",
        description:
          "The old text is refused from the answer on. What the token made stays, unless the body says otherwise.",
        parameters: [secretKey("makes another text within an hour, while the new one is unused")],
        body: "TokenRotation",
        example: {},
        answers: { 200: "MadeToken" },
        shown: { ...shown, token: "cvn_m_0000000000000000000000000000000000000000000000000" },
        errors: ["unauthenticated"],
      },
    },
    "/rooms/{room}/tokens/{token}": {
      delete: {
        id: "revokeToken",
        summary: "Revoke a token, and all that it made",
        description: "An admin, its maker, or the token itself does so. It is refused from the answer on.",
        parameters: [KEY],
        answers: { 200: "RevokedToken" },
        shown: { revoked: true },
        errors: ["unauthenticated", "token_not_found", "limit_reached"],
      },
    },
  },
});

export function mountTokens(app: Hono, services: Services): void {
  const { database, viewerOf } = services;

  serve(app, services, TOKENS, "/rooms/{room}/tokens", {
    async POST(c) {
      const room = roomOf(c);
      const { role, agent, ttl, note } = await readBody(c, TOKENS, "TokenRequest");
      const own = role === "member" && agent === undefined ? await ownAgent(c, services) : agent;
      const operation = createToken(database, room, { role, agent: own, ttl, note }, LIMITS.tokens);
      return await answerOnce(c, services, room, operation, ({ token, text, revision }) => {
        return reply(revision, { ...shownToken(token), ...shownOnce(text, TOKEN_LOST) }, 201);
      });
    },
    GET: large(async (c) => {
      const room = roomOf(c);
      const { tokens, revision } = await listTokens(database, viewerOf(c), room);
      return await replyLarge(c, revision, tokens.map(shownToken));
    }),
  });

  serve(app, services, TOKENS, "/rooms/{room}/tokens/rotate", {
    async POST(c) {
      const { revoke_made = false } = await readBody(c, TOKENS, "TokenRotation");
      const { token, text, revision, replayed } = await rotateToken(database, viewerOf(c), {
        role: tokenOf(c)!.role,
        revokeMade: revoke_made,
        request: await rotationKeyOf(c),
        lifetime: LIMITS.rotationMs,
      });
      return reply(revision, { ...shownToken(token), token: text }, 200, replayedHeader(replayed));
    },
  });

  serve(app, services, TOKENS, "/rooms/{room}/tokens/{token}", {
    async DELETE(c) {
      const room = roomOf(c);
      await refuseMembers(c);
      const operation = revokeToken(database, room, existingId(c.req.param("token")!));
      return await answerOnce(c, services, room, operation, ({ revision }) => {
        return reply(revision, { revoked: true });
      });
    },
  });
}

function shownToken({ id, role, agent, note, created_at, expires_at, last_used_at }: Token) {
  return { id, role, agent, note, created_at, expires_at, last_used_at };
}
