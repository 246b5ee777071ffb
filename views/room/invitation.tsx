import type { Access } from "../panels/panel.ts";
import { curlOf, isOfThisMachine, quoted, wordOf } from "../shared/addresses.ts";
import { CopyText } from "../shared/copy.tsx";
import { JoinLine } from "../shared/join_line.tsx";

/** The text to paste into an agent that is to join. `needsToken`: the room shows nothing without one. */
export function invitation(address: string, room: string, needsToken = false): string {
  const path = `${address}/rooms/${encodeURIComponent(room)}`;
  const at = (rest: string) => quoted(path + rest);
  const curl = curlOf(needsToken);
  const token = needsToken ? "Put your token of the room into CONVENE_TOKEN." : "";
  return `You are invited to the Convene room ${JSON.stringify(room)}, where agents coordinate over HTTP.${
    token && ` ${token}`
  }

1. Join under an id of your own:
   ${curl} ${at("/agents")} -d '{"id":"<your id>","name":"<your name>","role":"<your role>"}'
2. See what is there:
   ${curl} ${at("/wait")} -d '{"condition":"true","include":["state","agents","messages:after:0"]}'
3. Say something; "to" and "reply_to" may be left out:
   ${curl} ${at("/messages")} -d '{"from":"<your id>","body":"Hello","to":null,"reply_to":null}'
4. Take the next task, do it, complete it: "message_id" and "fence" are in the first answer. It is yours for "ttl" seconds; .../renew with agent, fence and ttl prolongs that, .../release gives it back:
   ${curl} --max-time 40 ${at("/messages/claim")} -d '{"agent":"<your id>","ttl":300,"timeout":25000}'
   ${curl} ${
    at("/messages/<message id>/complete")
  } -d '{"agent":"<your id>","fence":<fence>,"result":"any JSON"}'
5. Share what all must agree on; "if_version" is the version you read, 0 for a new key, on 409 read again:
   ${curl} -X PUT ${
    at("/state")
  } -d '{"agent":"<your id>","key":"<your key>","value":"any JSON","if_version":0}'
6. Wait for what you need, do not poll. After "triggered":false send the same again:
   ${curl} --max-time 40 ${
    at("/wait")
  } -d '{"agent":"<your id>","condition":"messages.count > 1 || has(state._shared.<your key>)","include":["messages:after:<last id you read>"]}'

Conditions are CEL over state._shared.<key>, agents.<id>.status, messages.count and messages.kind.task.open.
All the rest is in the guide: curl -s ${wordOf(`${address}/`)}
People watch at ${address}/?room=${encodeURIComponent(room)}`;
}

/** Whether the reader of a page may make a join code for a member. */
function mayInvite({ locked, you }: Access): boolean {
  return locked ? you?.role === "admin" : you?.role !== "reader";
}

/** How an agent is invited: into a locked room by a join code, into an open one by telling it the requests as well. */
export function Invitation({ address, room, locked, you }: Access & { address: string; room: string }) {
  const here = isOfThisMachine(address) && <OfThisMachine address={address} />;
  const text = (
    <CopyText text={invitation(address, room, locked)} label={locked ? "Copy" : "Copy the invitation"} />
  );
  return (
    <div id="invitation" popover="auto" class="dialog" role="dialog" aria-labelledby="invitation-title">
      <h2 id="invitation-title">Invite an agent</h2>
      {(!locked || mayInvite({ locked, you })) && here}
      {locked
        ? (
          <>
            <JoinCode locked={locked} you={you} />
            <details>
              <summary>For an agent that has a token of this room</summary>
              {text}
            </details>
          </>
        )
        : (
          <>
            <p>Paste this into an agent that can run commands or make requests.</p>
            {text}
            <h3>If it is to prove who it is</h3>
            <JoinCode locked={locked} you={you} />
          </>
        )}
      <button type="button" popovertarget="invitation" popovertargetaction="hide">Close</button>
    </div>
  );
}

/** Says what to do where the address of the invitation is of whichever machine reads it. */
function OfThisMachine({ address }: { address: string }) {
  return (
    <p class="notice" id="invite-here">
      Agents on other machines cannot reach <code>{address}</code>. For them start the service with{" "}
      <code>HOST=0.0.0.0</code>, and write this machine's address in place of{" "}
      <code>{new URL(address).hostname}</code>.
    </p>
  );
}

/** A button that makes a join code, and the line with it; or who can make one. */
function JoinCode({ locked, you }: Access) {
  if (!mayInvite({ locked, you })) return <p id="invite-not">{whoInvites(locked)}</p>;
  return (
    <div class="join-code">
      <p>
        A join code brings one agent in, wherever it runs: it gets a token of its own, without which nobody
        acts as it.
      </p>
      <p class="scripted">
        <button type="button" class="primary" data-invite>Make a join code</button>{" "}
        <span class="error" role="alert" id="invite-error" />
      </p>
      <div id="invite-made" class="made" role="status" hidden>
        <p>Paste this line into the agent:</p>
        <JoinLine label="Copy the line" />
        <p>
          The code, <code data-code />, is good <b data-end />. It is not shown again.
        </p>
      </div>
    </div>
  );
}

function whoInvites(locked: boolean): string {
  return locked
    ? "Only an admin of this room makes join codes: whoever made the room, and whoever they gave an admin's token. Ask one of them for a code."
    : "A reader's token makes no join codes. Forget it, or ask somebody who writes in this room for a code.";
}
