import type { Holder } from "../panels/panel.ts";
import { withArticle } from "./health.tsx";

/** Where somebody pastes a token; the script tries it, and keeps it for the tab as it keeps one of the address. */
export function TokenForm() {
  return (
    <form id="token-form" class="token-form scripted">
      <label for="token-text">Your token of this room</label>
      <p class="field">
        <input
          id="token-text"
          name="token"
          class="mono"
          placeholder="cvn_"
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          aria-describedby="token-error token-kept"
          required
        />
        <button type="submit">Use this token</button>
      </p>
      <p class="error" role="alert" id="token-error" />
      <p class="quiet" id="token-kept">
        It stays in this tab until you close it, and is sent to this service alone.
      </p>
    </form>
  );
}

/** The token under which a room's page is shown, if there is one, and the field for another. */
export function TokenDialog({ you }: { you?: Holder }) {
  return (
    <div id="token" popover="auto" class="dialog" role="dialog" aria-labelledby="token-title">
      <h2 id="token-title">{you ? "Your token" : "I have a token"}</h2>
      {you && <Held you={you} />}
      <TokenForm />
      <button type="button" popovertarget="token" popovertargetaction="hide">Close</button>
    </div>
  );
}

function Held({ you: { role, agent } }: { you: Holder }) {
  return (
    <>
      <p>
        This tab shows the room under {withArticle(role)}'s token
        {agent === null ? "" : (
          <>
            {" of "}
            <b>{agent}</b>
          </>
        )}. The service cannot show it again: before this tab closes or forgets it, copy it to a safe place.
      </p>
      <p class="actions">
        <button type="button" data-copy="token">Copy this token</button>
        <button type="button" data-forget>Forget this token</button>
      </p>
      <h3>Use another</h3>
    </>
  );
}
