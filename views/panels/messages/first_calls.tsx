import { curlOf, quoted } from "../../shared/addresses.ts";
import { CopyText } from "../../shared/copy.tsx";

/** What starts a room in which nothing has happened yet, for those who may start it. */
export function FirstCalls({ address, room, needsToken, mayWrite }: {
  address: string;
  room: string;
  needsToken: boolean;
  mayWrite: boolean;
}) {
  if (!mayWrite) {
    return (
      <div class="first-calls" id="first-calls">
        <h3>Nothing has happened here yet</h3>
        <p>What others do shows here as it happens.</p>
      </div>
    );
  }
  const curl = curlOf(needsToken);
  const path = `${address}/rooms/${encodeURIComponent(room)}`;
  const calls: Array<[string, string]> = [
    ["An agent joins:", `${curl} ${quoted(`${path}/agents`)} -d '{"id":"alice","name":"Alice"}'`],
    [
      "It posts a message:",
      `${curl} ${quoted(`${path}/messages`)} -d '{"from":"alice","body":"Who takes the tests?"}'`,
    ],
    [
      "It waits for an answer:",
      `${curl} ${quoted(`${path}/wait`)} -d '{"agent":"alice","condition":"has(state._shared.taken)"}'`,
    ],
  ];
  return (
    <div class="first-calls" id="first-calls">
      <h3>Nothing has happened here yet</h3>
      <p>Three calls start it. Run them and watch this page.</p>
      <ol>
        {calls.map(([what, call]) => (
          <li>
            <p>{what}</p>
            <CopyText text={call} label="Copy" />
          </li>
        ))}
      </ol>
      <p>
        Or <button type="button" popovertarget="invitation">invite an agent</button> that does it by itself.
      </p>
    </div>
  );
}
