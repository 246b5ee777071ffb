import { endOf } from "../shared/ends.js";
import { onceOr } from "../shared/once.js";
import { post } from "../shared/refusals.js";
import { path } from "./path.js";
import { ask } from "./token.js";

const make = () => post(`${path}/invites`, { role: "member" }, { send: ask });

const times = (uses) => uses === 1 ? "once" : `${uses} times`;

/** Makes a join code and shows its line, for whose page has the button. */
async function invite(button) {
  const { url, code, uses, expires_at } = await make();
  const made = document.getElementById("invite-made");
  made.querySelector("[data-url]").textContent = url;
  made.querySelector("[data-code]").textContent = code;
  made.querySelector("[data-end]").textContent = `${endOf(expires_at)}, ${times(uses)}`;
  made.hidden = false;
  button.textContent = "Make another";
  made.querySelector("[data-copy]").focus();
}

/** Joins an open room by a code of one's own: its page asks for an id, and keeps the token in this tab. */
async function join() {
  const { code } = await make();
  location.href = `/join/${code}`;
}

export function enableInviting() {
  enable("invite", "No code was made", invite);
  enable("join", "Not joined", join);
}

function enable(name, failed, act) {
  const button = document.querySelector(`[data-${name}]`);
  const complaint = document.getElementById(`${name}-error`);
  button?.addEventListener("click", () => onceOr(button, complaint, failed, () => act(button)));
}
