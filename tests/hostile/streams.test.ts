import assert from "node:assert/strict";
import { Subject } from "../support/backends.ts";
import { onFilled } from "../support/filled.ts";
import { assertOthersServed } from "../support/held_up.ts";
import { ask, openReader, type Reader, readerOf, unchunked } from "../support/readers.ts";
import { assertStatus } from "../support/shapes.ts";
import { bearer } from "../support/tokens.ts";

const READERS = 300;
/** Of those for whom everything is read and drawn apart. */
const OWN_EYES = 100;
/** All that one request can write, nearly: 187 KB, costly to write as JSON. */
const NUMBERS = Array.from({ length: 9_400 }, (_, n) => n + 0.5);
const VALUES = Array.from({ length: 3 }, (_, n) => ({ key: `key ${n}`, value: NUMBERS }));

onFilled(() => Promise.resolve(), {
  async "300 readers of one room's changes hold up no other room"({ kind, url }) {
    const t = new Subject(url);
    const room = await t.room();
    await withReaders(t, `/rooms/${room}/events`, async (readers) => {
      await attack(t, `${kind}: events`, async () => {
        const { revision } = await t.put(`/rooms/${room}/state/batch`, { writes: VALUES });
        const texts = await Promise.all(readers.map((reader) => reader.until("\n\n\r\n")));
        const { text } = await t.get(`/rooms/${room}/changes`, { after: revision! - 1 });
        for (const said of new Set(texts.map(unchunked))) {
          assert.equal(said.replace(/^(:\n\n)+/, ""), `id: ${revision}\ndata: ${text}\n\n`);
        }
      });
    });
  },

  async "300 pages that look at one room hold up no other"({ kind, url }) {
    const t = new Subject(url);
    const room = await t.room();
    for (let n = 0; n < 20; n++) await t.view(room, `v${n}`, `messages.count + ${n}`);
    for (let n = 0; n < 50; n++) await t.agent(room, `agent ${n}`);
    await withReaders(t, `/rooms/${room}/live`, async (readers) => {
      await attack(t, `${kind}: pages`, async () => {
        const reply = await t.put(`/rooms/${room}/state/batch`, { writes: VALUES });
        assertStatus(reply, 200);
        const said = (reader: Reader) => reader.until("\n\n\r\n").then(unchunked);
        for (const text of await Promise.all(readers.map(said))) {
          assert.match(text, new RegExp(`id: ${reply.revision}\n`));
          assert.ok(text.includes('id="state/_shared/key%202"'), text.slice(0, 300));
        }
        // The next thing that all are told is the look at what changes by itself.
        await Promise.all(readers.map(said));
      });
    });
  },

  async "100 pages of agents that each see for themselves hold up no other room"({ kind, url }) {
    const t = new Subject(url);
    const room = await t.room();
    const agents = await Promise.all(
      Array.from(
        { length: OWN_EYES },
        (_, n) => t.agent(room, `agent ${n}`, { secure: true, private: true }),
      ),
    );
    const readers = await Promise.all(
      agents.map(({ token }) => openReader(t.url, `/rooms/${room}/live`, bearer(token))),
    );
    try {
      await attack(t, `${kind}: pages with eyes of their own`, async () => {
        const { revision } = await t.put(`/rooms/${room}/state/batch`, { writes: VALUES });
        await Promise.all(readers.map(async (reader) => {
          for (let text = ""; !text.includes(`id: ${revision}\n`);) text = await reader.until("\n\n\r\n");
        }));
      });
    } finally {
      for (const reader of readers) reader.close();
    }
  },

  async "150 readers from the beginning on hold up no other room"({ kind, url }) {
    const t = new Subject(url);
    const room = await t.room();
    for (let n = 0; n < 8; n++) {
      assertStatus(
        await t.put(`/rooms/${room}/state/batch`, {
          writes: VALUES.map(({ key, value }) => ({ key: `${key} ${n}`, value })),
        }),
        200,
      );
    }
    const revision = await t.revision(room);
    for (const [what, after] of [["at one", () => 0], ["at many", (n: number) => n % 6]] as const) {
      await attack(t, `${kind}: ${what}`, async () => {
        const readers = await Promise.all(Array.from(
          { length: READERS },
          async (_, n) => readerOf(await ask(t.url, `/rooms/${room}/events?after=${after(n)}`)),
        ));
        try {
          await Promise.all(readers.map(async (reader) => {
            for (let text = ""; !text.includes(`id: ${revision}\n`);) {
              text = await reader.until("\n\n\r\n");
            }
          }));
        } finally {
          for (const reader of readers) reader.close();
        }
      });
    }
  },
});

async function withReaders(t: Subject, path: string, test: (readers: Reader[]) => Promise<void>) {
  const readers = await Promise.all(Array.from({ length: READERS }, () => openReader(t.url, path)));
  try {
    await test(readers);
  } finally {
    for (const reader of readers) reader.close();
  }
}

async function attack(t: Subject, name: string, run: () => Promise<void>) {
  return await assertOthersServed(name, { url: t.url, path: `/rooms/${await t.room()}` }, run);
}
