import { type DrawEach, type Fragment, PLACES } from "../panels/panel.ts";
import { CreateRoom } from "../front/create_room.tsx";
import { maySay } from "../panels/messages/say.tsx";
import { PANELS, type RoomUpdate, type RoomView, TABS } from "../panels/panels.ts";
import { quoted, wordOf } from "../shared/addresses.ts";
import { CopyText } from "../shared/copy.tsx";
import { type Assets, Layout, type Markup, Top } from "../shared/layout.tsx";
import { Counts, Live, You } from "./health.tsx";
import { Invitation } from "./invitation.tsx";
import { TokenDialog, TokenForm } from "./token.tsx";

/** Draws a room's page, complete without the script, which keeps it up to date. */
export async function roomPage(room: RoomView, assets: Assets, each: DrawEach): Promise<Markup> {
  const { id, address, now, agents, counts, revision, locked, you } = room;
  const places: Markup[] = [];
  for (const place of PLACES) {
    const sections: Markup[] = [];
    for (const panel of PANELS) if (panel.place === place) sections.push(await panel.section(room, each));
    places.push(<div class={`place ${place}`}>{sections}</div>);
  }
  return (
    <Layout
      title={`${id} · Convene`}
      description={`The room ${id}, live: who is here, what they say, what they share and what they wait for.`}
      assets={assets}
      script="entering.js"
      then="room.js"
      body={{
        class: "room-page",
        "data-room": id,
        "data-revision": String(revision),
        "data-now": now.toISOString(),
        "data-tab": TABS[0]!.id,
        ...you && { "data-token": "" },
      }}
    >
      <nav aria-label="Skip">
        <a class="skip scripted" href={maySay(you) ? "#say-body" : "#say-not"}>Skip to say something</a>
        <a class="skip" href="#messages-scroller">Skip to the conversation</a>
        <a class="skip" href="#timeline-scroller">Skip to the timeline</a>
      </nav>
      <header class="health">
        <a class="brand" href="/">Convene</a>
        <h1>
          <span class="quiet">room</span> <code title={id}>{id}</code>
        </h1>
        <p class="actions">
          <button type="button" data-copy="link">Copy link</button>
          <button type="button" popovertarget="invitation">Invite an agent</button>
          <button type="button" class="scripted" popovertarget="token">
            {you ? "Your token" : "I have a token"}
          </button>
        </p>
        {you && <You you={you} />}
        <span class="spring" />
        <Live now={now} />
        <Counts revision={revision} agents={agents} counts={counts} />
      </header>
      <main class="room">
        {places}
      </main>
      <nav class="tabs" aria-label="Parts of the room">
        {TABS.map(({ id, name }) => <a href={`#${id}`} data-tab={id}>{name}</a>)}
      </nav>
      <Invitation address={address} room={id} locked={locked} you={you} />
      <TokenDialog you={you} />
      <p class="visually-hidden" id="announcer" role="status" />
    </Layout>
  );
}

/** Returns the fragments of the page that an update may affect, drawn like the page. */
export function fragmentsOf(update: RoomUpdate): Fragment[] {
  return [
    { id: "counts", draw: () => <Counts {...update} /> },
    ...PANELS.flatMap((panel) => panel.fragments?.(update) ?? []),
  ];
}

/** The page of a room that cannot be read at present; whoever sends it has it ask again after so many seconds. */
export function unavailablePage(id: string, assets: Assets, seconds: number): Markup {
  return (
    <Layout
      title="Not available · Convene"
      description="The service cannot read this room at the moment."
      assets={assets}
      script="entering.js"
      then="front.js"
    >
      <Top />
      <main class="prose">
        <h1>
          The room <code>{id}</code> cannot be read at the moment
        </h1>
        <p>
          The service is there, but could not read the room. This page asks again every {seconds}{" "}
          seconds, and shows the room as soon as it can.
        </p>
      </main>
    </Layout>
  );
}

/** Says that there is no room, or that it is locked: the page is the same. `locked`: only locked ones are made here. */
export function unknownRoomPage(id: string, address: string, assets: Assets, locked: boolean): Markup {
  const made = JSON.stringify({ id, ...locked && { locked } });
  return (
    <Layout
      title="No such room · Convene"
      description="There is no room with this id. It can be created here."
      assets={assets}
      script="entering.js"
      then="front.js"
    >
      <Top />
      <main class="prose">
        <h1>
          There is no room <code>{id}</code>
        </h1>
        <p>Or it is locked: such a room shows itself only to those who have a token of it.</p>
        <h2>If it is locked</h2>
        <p>Whoever has no token asks an admin of the room for a join code.</p>
        <TokenForm />
        <h2>If it is new</h2>
        <p>Opening a page never creates a room. If the address is right, create the room now.</p>
        <p>
          <CreateRoom
            id={id}
            locked={locked}
            label={locked ? "Create this room, locked" : "Create this room"}
            plain
          />
          <span class="error" role="alert" id="create-error" />
        </p>
        <p>Or from a shell:</p>
        <CopyText
          text={`curl -s ${wordOf(`${address}/rooms`)} -d ${quoted(made)}`}
          label="Copy"
        />
        <p>
          <a href="/">What Convene is</a>
        </p>
      </main>
    </Layout>
  );
}
