import { JoinLine } from "../shared/join_line.tsx";
import { type Assets, Layout, type Markup, Top } from "../shared/layout.tsx";
import { type Invitation, inviterOf, placeOf } from "./join_text.ts";

/** The page of an invitation, for people: what it is, a form to join, and the line to paste into an agent. */
export function joinPage(invitation: Invitation, assets: Assets): Markup {
  const { address, code, room, agent, note, usesLeft, expiresAt, now } = invitation;
  return (
    <JoinLayout title="You are invited · Convene" assets={assets} now={now}>
      <h1>
        You are invited to the room <code>{room}</code>
      </h1>
      <p>
        By {inviterOf(invitation)}; {placeOf(invitation)}.
      </p>
      {note !== null && (
        <p>
          Their note: <q>{note}</q>
        </p>
      )}
      <h2>Join yourself</h2>
      <JoinForm agent={agent} />
      <h2>Or send an agent</h2>
      <p>Paste this into an agent that can run commands or make requests:</p>
      <JoinLine url={`${address}/join/${code}`} label="Copy the line" />
      <p class="quiet">
        The code is good {usesLeft === 1 ? "once" : `${usesLeft} more times`},{" "}
        <time datetime={expiresAt} title={expiresAt} data-end>{endInUtc(expiresAt)}</time>. Reading this uses
        nothing up.
      </p>
    </JoinLayout>
  );
}

/** The end in words; the page's script tells it by the reader's clock. */
function endInUtc(expiresAt: string): string {
  const [day, time] = [expiresAt.slice(0, 10), expiresAt.slice(11, 16)];
  return `until ${time} UTC on ${day}`;
}

/** Joins a person. The code is in the page's address, and the token stays in the tab. */
function JoinForm({ agent }: Pick<Invitation, "agent">) {
  return (
    <form id="join" class="join">
      {agent === null && (
        <label>
          Your id in the room
          <input
            name="agent"
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            maxlength={128}
            required
          />
        </label>
      )}
      <label>
        Your name
        <input name="name" autocomplete="off" maxlength={256} placeholder={agent ?? "the same"} />
      </label>
      <p>
        <button type="submit" class="primary">{agent === null ? "Join" : `Join as ${agent}`}</button>
        <span class="error" role="alert" id="join-error" />
      </p>
      <noscript>
        <p>Joining from this page needs its script: a token is shown once, and stays in this tab.</p>
      </noscript>
    </form>
  );
}

/** The page of a code that does not count. */
export function unknownInvitationPage(assets: Assets): Markup {
  return (
    <JoinLayout title="No such invitation · Convene" assets={assets}>
      <h1>There is no such invitation</h1>
      <p>It is used up, expired, revoked or mistyped. Ask whoever invites you for a new one.</p>
      <p id="joined" hidden>
        You have joined by it in this tab: <a>go to the room</a>.
      </p>
    </JoinLayout>
  );
}

function JoinLayout({ title, assets, now, children }: {
  title: string;
  assets: Assets;
  now?: string;
  children?: unknown;
}) {
  return (
    <Layout
      title={title}
      description="An invitation to a Convene room."
      assets={assets}
      script="join.js"
      body={now === undefined ? {} : { "data-now": now }}
    >
      <Top>
        <a href="/guide">Guide</a>
      </Top>
      <main class="prose">{children}</main>
    </Layout>
  );
}
