import type { Access, Holder } from "../panel.ts";

/** Whether the reader of a page posts on it: under the token of an agent, which may write. */
export function maySay(you: Holder | undefined): you is Holder & { agent: string } {
  return you !== undefined && you.agent !== null && you.role !== "reader";
}

/** Where somebody posts, or why they cannot and what to do; it needs the script, which has the token. */
export function Say({ locked, you }: Access) {
  if (!maySay(you)) {
    return (
      <div id="say-not" class="say-not scripted" tabindex={-1}>
        <p>{you === undefined ? <Join /> : <OtherToken locked={locked} you={you} />}</p>
      </div>
    );
  }
  return (
    <form id="say" class="say">
      <label class="visually-hidden" for="say-body">{`Message from ${you.agent}`}</label>
      <input
        id="say-body"
        name="body"
        placeholder={`Say something as ${you.agent}`}
        autocomplete="off"
        aria-describedby="say-error"
        required
      />
      <button type="submit">Send</button>
      <span class="error" role="alert" id="say-error" />
    </form>
  );
}

/** In an open room whoever reads it may join. */
function Join() {
  return (
    <>
      You read without a token. To say something, <button type="button" data-join>join this room</button>{" "}
      under an id of your own, or <button type="button" popovertarget="token">use a token</button>{" "}
      that you have. <span class="error" role="alert" id="join-error" />
    </>
  );
}

function OtherToken({ locked, you }: { locked: boolean; you: Holder }) {
  const other = <button type="button" popovertarget="token">use another</button>;
  if (you.role === "reader") {
    return (
      <>
        Your token is a reader's, which writes nothing. To say something, {other}
        {locked ? ": an admin of the room makes one." : ", or forget this one and join the room."}
      </>
    );
  }
  if (locked && you.role === "member") {
    return <>Your token is no agent's. To say something, {other}, or ask an admin for a join code.</>;
  }
  return (
    <>
      Your token is no agent's. To say something as one, make a join code with{" "}
      <button type="button" popovertarget="invitation">Invite an agent</button>{" "}
      and open its address in another tab, or {other}.
    </>
  );
}
