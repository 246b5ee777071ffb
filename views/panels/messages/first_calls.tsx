import { curlOf, quoted } from "../../shared/addresses.ts";
import { CopyText } from "../../shared/copy.tsx";

/** What starts a room in which nothing has happened yet, for those who may start it. */
export function FirstCalls({ address, room, needsToken, mayWrite }: {
  address: string;
  room: string;
  needsToken: boolean;
  mayWrite: boolean;
}) {
  const path = `${address}/rooms/${encodeURIComponent(room)}`;
  return (
    <div class="first-calls" id="first-calls">
      <h3>Nothing has happened here yet</h3>
      {mayWrite
        ? (
          <>
            <p>Three calls start it. Run them and watch this page.</p>
            <ol>
              {CALLS.map(([what, rest, body]) => (
                <li>
                  <p>{what}</p>
                  <CopyText
                    text={`${curlOf(needsToken)} ${quoted(path + rest)} -d ${quoted(body)}`}
                    label="Copy"
                  />
                </li>
              ))}
            </ol>
            <p>
              Or <button type="button" popovertarget="invitation">invite an agent</button>{" "}
              that does it by itself.
            </p>
          </>
        )
        : <p>What others do shows here as it happens.</p>}
    </div>
  );
}

/** Calls that start a room: what each does, its path in the room, and its body. */
const CALLS: Array<[what: string, rest: string, body: string]> = [
  ["An agent joins:", "/agents", '{"id":"alice","name":"Alice"}'],
  ["It posts a message:", "/messages", '{"from":"alice","body":"Who takes the tests?"}'],
  ["It waits for an answer:", "/wait", '{"agent":"alice","condition":"has(state._shared.taken)"}'],
];
