import { dropToken, hasToken, pageWith, settleToken, takeBack, takeToken } from "./token.js";
import "./token_form.js";

/*
 * Comes first on every page of a room, and on that of no room, which a locked one shows to whoever has no token: asks
 * for the page once more with the token, puts it in the place of this one, and starts its script.
 */

async function enter() {
  const page = await pageWith();
  if (page) {
    settleToken();
    return show(page);
  }
  if (takeBack()) {
    await enter();
    return tell("The token in the address is not accepted, and is forgotten.");
  }
  dropToken();
  tell(
    "The token is not accepted: it may have ended. This page shows what there is without one. Ask whoever gave it to you for a new one.",
  );
}

function show(page) {
  document.title = page.title;
  document.body.replaceWith(document.adoptNode(page.body));
}

function tell(text) {
  const notice = document.createElement("p");
  notice.className = "notice";
  notice.setAttribute("role", "alert");
  notice.textContent = text;
  document.body.prepend(notice);
}

takeToken();
// A token in an address that differs in nothing else loads no page.
addEventListener("hashchange", () => takeToken() && location.reload());
if (hasToken()) await enter().catch(() => tell("The service does not answer. Load the page again."));
await import(document.body.dataset.script);
