import type { Context } from "hono";
import { joinPage, unknownInvitationPage } from "../../views/join/join_page.tsx";
import { type Invitation, joinText } from "../../views/join/join_text.ts";
import { page } from "../../views/shared/layout.tsx";
import { ASSETS } from "./assets.ts";
import { sendPieces } from "./headers.ts";

/** Sends an invitation as the media type `type`; without one the page that says that there is none. */
export async function sendInvitation(c: Context, type: string, invitation?: Invitation): Promise<Response> {
  if (invitation === undefined) return await sendPieces(c, [page(unknownInvitationPage(ASSETS))], 404);
  if (type === "text/html") return await sendPieces(c, [page(joinPage(invitation, ASSETS))]);
  return c.body(joinText(invitation), 200, { "Content-Type": `${type}; charset=utf-8` });
}
