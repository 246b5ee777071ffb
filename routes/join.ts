import type { Context, Hono } from "hono";
import { readCode } from "../db/access/join_code.ts";
import { shownRoom } from "../db/access/locked.ts";
import { findInvite, type FoundInvite, type JoinKey } from "../db/invites/find.ts";
import { join } from "../db/invites/join.ts";
import { isRefusal, Refusal, served } from "../db/refusal.ts";
import { joinKeyOf, replayedHeader } from "./http/idempotency.ts";
import { LIMITS } from "./http/limits.ts";
import { document } from "./http/methods.ts";
import { checkSize, readBody, reply } from "./http/requests.ts";
import { describe } from "./openapi/operation.ts";
import { secretKey } from "./openapi/parameters.ts";
import { textTypeFor } from "./pages/headers.ts";
import type { Services } from "./services.ts";
import { takeQuery } from "./http/input/queries.ts";

export const JOIN = describe({
  bodies: ({ z, absent, defaulting, secureId, key, metaOf }) => ({
    JoinRequest: z.strictObject({
      agent: absent(secureId).describe("The agent's id: the invited one by default, else a random UUID"),
      name: absent(key).describe("The agent's id by default"),
      role: defaulting(key, "agent"),
      meta: metaOf(),
      private: absent(z.boolean()).describe(
        "`true`: the scope of the agent's name is its own from the same write on; for all others but admins it is empty",
      ),
    }),
  }),
  answers: ({ z, revision }) => ({
    Joined: z.object({
      room: z.string(),
      agent: z.string(),
      token: z.string().describe("Shown once: without it, or an admin's, nobody acts as the agent"),
      revision,
      guide: z.string().describe("The address of the guide"),
    }),
  }),
  operations: {
    "/join/{code}": {
      get: {
        id: "readInvitation",
        summary: "Read who invites, to which room, and the request to make",
        description:
          "Markdown, or a page if `Accept` asks for `text/html`. Uses nothing up. Ten wrong codes a minute of a caller, then 429.",
        answers: { 200: ["text/markdown", "text/plain", "text/html"], 404: ["text/html"] },
        headers: ["Vary"],
        errors: ["invite_not_found"],
      },
      post: {
        id: "joinByCode",
        summary: "Join a room by a code",
        description:
          "Makes a token and registers the agent, as secure, in one write. What is refused uses nothing up.",
        parameters: [secretKey("makes a new token in the place of the first")],
        body: "JoinRequest",
        example: { agent: "bob", name: "Bob" },
        answers: { 201: "Joined" },
        shown: {
          room: "demo",
          agent: "bob",
          token: "cvn_m_0000000000000000000000000000000000000000000000000",
          revision: 7,
          guide: "https://convene.example/",
        },
        errors: ["invite_not_found", "agent_exists", "limit_reached"],
      },
    },
  },
});

export function mountJoin(app: Hono, { database, addressOf, wrongCodes }: Services): void {
  /**
   * Finds the invitation of a code, by its hash, which counts or did when it was read. Errors: `invite_not_found`,
   * `rate_limited`, `unavailable`.
   */
  async function find(c: Context, code: string | undefined, key?: JoinKey) {
    const invite = code && await findInvite(database, code, key);
    // Others may have been wrong meanwhile: only what is within their number is told.
    if (invite) wrongCodes.check(c);
    else wrongCodes.count(c);
    if (!invite || !(invite.inForce || invite.made)) throw new Refusal("invite_not_found", {});
    served(invite.revision);
    return { code, invite };
  }

  const hashOf = (c: Context) => readCode(c.req.param("code")!);

  document(app, "/join/:code", {
    async GET(c) {
      wrongCodes.check(c);
      c.header("Referrer-Policy", "no-referrer");
      const type = textTypeFor(c);
      const found = await find(c, hashOf(c)).catch((error): undefined => {
        if (type !== "text/html" || !isRefusal(error, "invite_not_found")) throw error;
      });
      const code = encodeURIComponent(c.req.param("code")!);
      const invitation = found && invitationOf(found.invite, addressOf(c), code);
      const { sendInvitation } = await import("./pages/join.ts");
      return await sendInvitation(c, type, invitation);
    },

    async POST(c) {
      wrongCodes.check(c);
      takeQuery(c, []);
      const joiner = await readBody(c, JOIN, "JoinRequest");
      checkSize(joiner.meta, "meta");
      const hash = hashOf(c);
      const key = hash === undefined ? undefined : await joinKeyOf(c, hash);
      const { code, invite } = await find(c, hash, key);
      const { replayed, room, ...joined } = await join(database, code, invite, joiner, LIMITS, key);
      const { agent, token, revision } = joined;
      return reply(
        revision,
        { room: shownRoom(room), agent, token, revision, guide: `${addressOf(c)}/` },
        201,
        replayedHeader(replayed),
      );
    },
  });
}

function invitationOf(invite: FoundInvite, address: string, code: string) {
  const { room, role, agent, note, uses_left: usesLeft, expires_at: expiresAt, by, now } = invite;
  return { address, code, room: shownRoom(room), role, agent, note, usesLeft, expiresAt, by, now };
}
