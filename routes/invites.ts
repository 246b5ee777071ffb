import type { Hono } from "hono";
import { ROLES } from "../db/access/token_text.ts";
import type { Invite } from "../db/invites/invite.ts";
import { createInvite } from "../db/invites/make.ts";
import { listInvites } from "../db/invites/read.ts";
import { revokeInvite } from "../db/invites/revoke.ts";
import { answerOnce } from "./http/idempotency.ts";
import { existingId } from "./http/ids.ts";
import { EXAMPLE_TIME } from "./http/input/wordings.ts";
import { LIMITS } from "./http/limits.ts";
import { large } from "./http/methods.ts";
import { readBody, refuseMembers, reply, replyLarge, roomOf } from "./http/requests.ts";
import { describe, serve } from "./openapi/operation.ts";
import { KEY } from "./openapi/parameters.ts";
import type { Services } from "./services.ts";

const shown = {
  id: "5b0e5d0c-5b5c-4c0e-9a3e-0f6a3c1d2e4f",
  role: "member",
  agent: null,
  uses: 1,
  expires_at: EXAMPLE_TIME,
  note: null,
};

/** The hint of a repetition, which does not show the code again. */
const CODE_LOST = "A code is shown once. Make another invitation, under a new key.";

export const INVITES = describe({
  bodies: ({ z, absent, defaulting, secureId, secondsUpTo, note: noteText }) => ({
    InviteRequest: z.strictObject({
      role: z.enum(ROLES),
      agent: absent(secureId).describe("The agent that it invites; without it one of the joiner's choice"),
      uses: defaulting(z.int().min(1).max(LIMITS.inviteUses), 1).describe("How many may join by it"),
      ttl: defaulting(secondsUpTo(LIMITS.inviteSeconds), LIMITS.inviteDefaultSeconds)
        .describe("Seconds until it ends; its maker's end at the latest"),
      note: absent(noteText).describe("Whom it is for, shown to them and in lists"),
    }),
  }),
  answers({ z, time, count }) {
    const common = {
      id: z.string(),
      role: z.enum(ROLES),
      agent: z.string().nullable(),
      uses: count,
      expires_at: time,
      note: z.string().nullable(),
    };
    return {
      MadeInvite: z.object({
        ...common,
        code: z.string().nullable().describe("Shown once; null in a repetition"),
        url: z.string().nullable().describe("The address that tells who is invited how to join"),
        hint: z.string().optional(),
      }),
      InviteList: z.array(z.object({ ...common, uses_left: count, created_at: time })),
      RevokedInvite: z.object({ revoked: z.literal(true) }),
    };
  },
  operations: {
    "/rooms/{room}/invites": {
      get: {
        id: "listInvites",
        summary: "List the invitations that count, without their codes",
        description: "An admin sees all; others see those that their token made.",
        answers: { 200: "InviteList" },
        shown: [{ ...shown, uses_left: 1, created_at: EXAMPLE_TIME }],
        errors: ["unauthenticated"],
      },
      post: {
        id: "createInvite",
        summary: "Make a join code, one line that brings an agent on another machine into the room",
        description:
          "An admin makes any. In an open room anybody invites members under ids that are new to it. The code is shown once.",
        parameters: [KEY],
        body: "InviteRequest",
        example: { role: "member", uses: 2, note: "the two reviewers" },
        answers: { 201: "MadeInvite" },
        shown: { ...shown, code: "7KQ2M-X9D4T", url: "https://convene.example/join/7KQ2M-X9D4T" },
        errors: ["unauthenticated", "forbidden", "agent_exists", "limit_reached"],
      },
    },
    "/rooms/{room}/invites/{invite}": {
      delete: {
        id: "revokeInvite",
        summary: "Revoke an invitation",
        description: "An admin does so. Who has joined by it stays.",
        parameters: [KEY],
        answers: { 200: "RevokedInvite" },
        shown: { revoked: true },
        errors: ["unauthenticated", "forbidden", "invite_not_found"],
      },
    },
  },
});

export function mountInvites(app: Hono, services: Services): void {
  const { database, viewerOf, addressOf } = services;

  serve(app, services, INVITES, "/rooms/{room}/invites", {
    async POST(c) {
      const room = roomOf(c);
      const body = await readBody(c, INVITES, "InviteRequest");
      const { uses = 1, ttl = LIMITS.inviteDefaultSeconds, ...asked } = body;
      const limits = { max: LIMITS.invites, lifetime: LIMITS.idempotencyMs };
      const operation = createInvite(database, room, { ...asked, uses, ttl }, limits);
      return await answerOnce(c, services, room, operation, ({ invite, code, revision }) => {
        const { id, role, agent, expires_at, note } = invite;
        const url = code === null ? null : `${addressOf(c)}/join/${code}`;
        const lost = code === null ? { hint: CODE_LOST } : {};
        return reply(
          revision,
          { id, code, url, role, agent, uses: invite.uses, expires_at, note, ...lost },
          201,
        );
      });
    },
    GET: large(async (c) => {
      const room = roomOf(c);
      const { invites, revision } = await listInvites(database, viewerOf(c), room);
      return await replyLarge(c, revision, invites.map(shownInvite));
    }),
  });

  serve(app, services, INVITES, "/rooms/{room}/invites/{invite}", {
    async DELETE(c) {
      const room = roomOf(c);
      await refuseMembers(c);
      const operation = revokeInvite(database, room, existingId(c.req.param("invite")!));
      return await answerOnce(c, services, room, operation, ({ revision }) => {
        return reply(revision, { revoked: true });
      });
    },
  });
}

function shownInvite({ id, role, agent, uses, uses_left, expires_at, created_at, note }: Invite) {
  return { id, role, agent, uses, uses_left, expires_at, created_at, note };
}
