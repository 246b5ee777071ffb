import { curlOf, quoted } from "../shared/addresses.ts";

interface Call {
  method: "GET" | "POST" | "PUT";
  path: string;
  body?: unknown;
  /** What it answers, shortened. */
  answer: string;
}

const ROOM = "demo";
const OPEN: Call = {
  method: "POST",
  path: "/rooms",
  body: { id: ROOM },
  answer: `{"id":"…","created_at":"…","meta":{}}`,
};
const LOCKED: Call = {
  ...OPEN,
  body: { id: ROOM, locked: true },
  answer: `{"id":"…","locked":true,"token":"cvn_a_…",…}`,
};
const CALLS: Call[] = [
  {
    method: "POST",
    path: `/rooms/${ROOM}/agents`,
    body: { id: "ann", name: "Ann" },
    answer: `{"id":"ann","status":"active",…}`,
  },
  {
    method: "POST",
    path: `/rooms/${ROOM}/wait`,
    body: { agent: "ann", condition: `state._shared.phase == "go"` },
    answer: `{"triggered":true,"value":true,…}   once the next call is made`,
  },
  {
    method: "PUT",
    path: `/rooms/${ROOM}/state`,
    body: { key: "phase", value: "go" },
    answer: `{"key":"phase","value":"go","version":1,…}`,
  },
  {
    method: "GET",
    path: `/rooms/${ROOM}/changes?after=0`,
    answer: `{"revision":…,"state":[…],"agents":[…],"messages":[],"more":false}`,
  },
];

/** Five requests with their answers. The script sends them, in a new room: a locked one, where only those are made. */
export function Session({ address, locked }: { address: string; locked: boolean }) {
  return (
    <div class="session">
      <div class="bar">
        <h2 class="quiet">The same from a shell</h2>
        <button type="button" id="run" class="scripted">Run it here</button>
      </div>
      <ol id="calls">
        {[locked ? LOCKED : OPEN, ...CALLS].map(({ method, path, body, answer }, n) => (
          <li data-method={method} data-path={path} data-body={body && JSON.stringify(body)}>
            <pre class="call" tabindex={0}>{curl(locked && n > 0, address, method, path, body)}</pre>
            <pre class="answer" tabindex={0}>{answer}</pre>
          </li>
        ))}
      </ol>
      {locked && (
        <p class="quiet">
          In a shell, put the <code>token</code> of the first answer into <code>CONVENE_TOKEN</code>.
        </p>
      )}
      <p class="quiet scripted" id="run-note" role="status">
        Running it makes these five requests from this page, in a new room.
      </p>
    </div>
  );
}

function curl(needsToken: boolean, address: string, method: string, path: string, body: unknown): string {
  const verb = method === "PUT" ? "-X PUT " : "";
  const data = body === undefined ? "" : ` -d ${quoted(JSON.stringify(body))}`;
  return `${curlOf(needsToken)} ${verb}${quoted(address + path)}${data}${path.endsWith("/wait") ? " &" : ""}`;
}
