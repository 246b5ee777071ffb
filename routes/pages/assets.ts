import { createHash } from "node:crypto";
import type { Context, Hono } from "hono";
import idiomorph from "idiomorph/dist/idiomorph.esm.js" with { type: "text" };
import frontStyle from "../../views/front/front.css" with { type: "text" };
import front from "../../views/front/front.js" with { type: "text" };
import session from "../../views/front/session.js" with { type: "text" };
import { PANELS, PANELS_STYLE } from "../../views/panels/panels.ts";
import join from "../../views/join/join.js" with { type: "text" };
import applying from "../../views/room/applying.js" with { type: "text" };
import entering from "../../views/room/entering.js" with { type: "text" };
import finding from "../../views/room/finding.js" with { type: "text" };
import following from "../../views/room/following.js" with { type: "text" };
import inviting from "../../views/room/inviting.js" with { type: "text" };
import path from "../../views/room/path.js" with { type: "text" };
import pointing from "../../views/room/pointing.js" with { type: "text" };
import streaming from "../../views/room/streaming.js" with { type: "text" };
import token from "../../views/room/token.js" with { type: "text" };
import tokenForm from "../../views/room/token_form.js" with { type: "text" };
import wholeValues from "../../views/room/whole_values.js" with { type: "text" };
import roomStyle from "../../views/room/room.css" with { type: "text" };
import room from "../../views/room/room.js" with { type: "text" };
import { HUES_STYLE } from "../../views/shared/addresses.ts";
import clock from "../../views/shared/clock.js" with { type: "text" };
import copying from "../../views/shared/copying.js" with { type: "text" };
import drawn from "../../views/shared/drawn.js" with { type: "text" };
import ends from "../../views/shared/ends.js" with { type: "text" };
import icon from "../../views/shared/icon.svg" with { type: "text" };
import once from "../../views/shared/once.js" with { type: "text" };
import refusals from "../../views/shared/refusals.js" with { type: "text" };
import pageStyle from "../../views/shared/page.css" with { type: "text" };
import proseStyle from "../../views/shared/prose.css" with { type: "text" };
import { RequestError } from "../http/errors.ts";
import { type CachedText, encodeText, sendCached } from "./cached_text.ts";
import { document } from "../http/methods.ts";

/** Rewrites imports to files of one folder, which serves all scripts; browsers do not resolve package names. */
const beside = (script: string) =>
  script.replaceAll(/(?<=from ")(?:[^"]*\/)?(\w+)(?:\.js)?(?=")/g, "./$1.js");

/** The scripts of panels; `room.js` imports them all. */
const PANEL_SCRIPTS = Object.assign({}, ...PANELS.map(({ scripts }) => scripts));

/** The style sheet: rules that pages share come first, so that later ones override them. */
const STYLE = [
  pageStyle,
  HUES_STYLE,
  roomStyle,
  PANELS_STYLE,
  proseStyle,
  frontStyle,
];

const SCRIPTS: Record<string, string> = {
  applying,
  clock,
  copying,
  drawn,
  ends,
  entering,
  finding,
  following,
  front,
  idiomorph,
  inviting,
  join,
  once,
  path,
  pointing,
  refusals,
  session,
  streaming,
  token,
  token_form: tokenForm,
  whole_values: wholeValues,
  ...PANEL_SCRIPTS,
  room: [...Object.keys(PANEL_SCRIPTS).map((name) => `import "./${name}.js";`), room].join("\n"),
};

const FILES: Record<string, { text: string; type: string; cached?: CachedText }> = {
  "page.css": { text: STYLE.join("\n"), type: "text/css; charset=utf-8" },
  "icon.svg": { text: icon, type: "image/svg+xml" },
};
for (const [name, text] of Object.entries(SCRIPTS)) {
  FILES[`${name}.js`] = { text: beside(text), type: "text/javascript; charset=utf-8" };
}

const version = createHash("sha256")
  .update(Object.values(FILES).map(({ text }) => text).join("\0"))
  .digest("hex").slice(0, 12);

/** The folder of the pages' files. Its name changes with any of them. */
export const ASSETS = { base: `/assets/${version}` };

function sendFile(c: Context, name: string, caching: string): Promise<Response> {
  const file = FILES[name]!;
  const headers = { "Content-Type": file.type, "X-Content-Type-Options": "nosniff" };
  return sendCached(c, file.cached ??= encodeText(file.text), caching, headers);
}

export function mountAssets(app: Hono): void {
  // Pages name their icon; browsers request this one for other documents.
  document(app, "/favicon.ico", { GET: (c) => sendFile(c, "icon.svg", "public, max-age=86400") });
  document(app, "/assets/:version/:file", {
    GET(c) {
      const name = c.req.param("file")!;
      if (!Object.hasOwn(FILES, name)) throw new RequestError("not_found", "There is no such file.");
      // A page of another release asks for its own version. It gets ours, uncached.
      const ours = c.req.param("version") === version;
      return sendFile(c, name, ours ? "public, max-age=31536000, immutable" : "no-store");
    },
  });
}
