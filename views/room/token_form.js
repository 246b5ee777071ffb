import { AWAY } from "../shared/refusals.js";
import { dropToken, keepToken, pageWith, room } from "./token.js";

/*
 * Takes a token that somebody pastes, and forgets the one that is kept. `entering.js` puts another body in the place of
 * the page's: so this listens to the document.
 */

const TOKEN = /^cvn_[amr]_[0-9A-Za-z]{49}$/;
const CODE = /^[0-9a-z]{5}-?[0-9a-z]{5}$/i;

/** Reads what is pasted, which may be a link with a token, or a header. */
function textIn(pasted) {
  const [, linked] = /[#&]token=([^&\s]+)/.exec(pasted) ?? [];
  return linked ?? pasted.replace(/^\s*(?:authorization:)?\s*bearer\s/i, "").trim();
}

/** Says why a text opens nothing, and what to do. */
function wrong(text) {
  const [, code = text] = /\/join\/([^/?#]+)/.exec(text) ?? [];
  if (CODE.test(code)) return `This is a join code. Open ${location.origin}/join/${code} and join there.`;
  if (!TOKEN.test(text)) {
    return "This is not a whole token: one begins with cvn_ and has 55 characters. Copy it again from where you got it.";
  }
  return "This token does not open this room: it has ended, or is of another room. Ask whoever gave it to you, or an " +
    "admin of the room, for a new one.";
}

async function use({ elements: { token } }) {
  const text = textIn(token.value);
  const complaint = document.getElementById("token-error");
  complaint.textContent = "";
  token.removeAttribute("aria-invalid");
  const page = await pageWith(text).catch(() => undefined);
  if (page) {
    token.value = ""; // a browser may keep what stands in a field
    keepToken(room, text);
    return location.reload();
  }
  complaint.textContent = page === null ? wrong(text) : AWAY;
  token.setAttribute("aria-invalid", "true");
  token.select();
}

document.addEventListener("submit", (event) => {
  if (event.target.id !== "token-form") return;
  event.preventDefault();
  use(event.target);
});

// Whoever opens the dialog to paste a token begins in its field.
document.addEventListener("toggle", ({ target, newState }) => {
  if (target.id !== "token" || newState !== "open" || target.querySelector("[data-forget]")) return;
  target.querySelector("input").focus();
}, true);

document.addEventListener("click", ({ target }) => {
  if (!target.closest?.("[data-forget]")) return;
  dropToken();
  location.reload();
});
