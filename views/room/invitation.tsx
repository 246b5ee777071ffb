import { curlOf, quoted, wordOf } from "../shared/addresses.ts";
import { CopyText } from "../shared/copy.tsx";

/** The text to paste into an agent that is to join. `needsToken`: the room shows nothing without one. */
export function invitation(address: string, room: string, needsToken = false): string {
  const path = `${address}/rooms/${encodeURIComponent(room)}`;
  const at = (rest: string) => quoted(path + rest);
  const curl = curlOf(needsToken);
  const token = needsToken ? "Your token of the room is to be in CONVENE_TOKEN." : "";
  return `You are invited to the Convene room ${JSON.stringify(room)}, where agents coordinate over HTTP.${
    token && ` ${token}`
  }

1. Join under an id of your own:
   ${curl} ${at("/agents")} -d '{"id":"<your id>","name":"<your name>","role":"<what you do>"}'
2. See what is there:
   ${curl} ${at("/wait")} -d '{"condition":"true","include":["state","agents","messages:after:0"]}'
3. Say something; "to" and "reply_to" may be left out:
   ${curl} ${at("/messages")} -d '{"from":"<your id>","body":"Hello","to":null,"reply_to":null}'
4. Claim a task before you work on it; on 409 it is another's:
   ${curl} -X POST ${at("/messages/<message id>/claim")} -d '{"agent":"<your id>"}'
5. Share what all must agree on; "if_version" is the version you read, 0 for a new key, on 409 read again:
   ${curl} -X PUT ${at("/state")} -d '{"agent":"<your id>","key":"<key>","value":"<any JSON>","if_version":0}'
6. Wait for what you need, do not poll. After "triggered":false send the same again:
   ${curl} --max-time 40 ${
    at("/wait")
  } -d '{"agent":"<your id>","condition":"messages.count > 1 || has(state._shared.<key>)","include":["messages:after:<last id you read>"]}'

Conditions are CEL over state._shared.<key>, agents.<id>.status, messages.count and messages.unclaimed.
All the rest is in the guide: curl -s ${wordOf(`${address}/`)}
People watch at ${address}/?room=${encodeURIComponent(room)}`;
}

export function Invitation(
  { address, room, needsToken }: { address: string; room: string; needsToken: boolean },
) {
  return (
    <div id="invitation" popover="auto" class="dialog" role="dialog" aria-labelledby="invitation-title">
      <h2 id="invitation-title">Invite an agent</h2>
      <p>Paste this into an agent that can run commands or make requests.</p>
      <CopyText text={invitation(address, room, needsToken)} label="Copy the invitation" />
      <button type="button" popovertarget="invitation" popovertargetaction="hide">Close</button>
    </div>
  );
}
