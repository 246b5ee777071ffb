import { endOf } from "../shared/ends.js";
import { once } from "../shared/once.js";
import { post } from "../shared/refusals.js";
import { path } from "./path.js";
import { ask } from "./token.js";

const make = () => post(`${path}/invites`, { role: "member" }, { send: ask });

const times = (uses) => uses === 1 ? "once" : `${uses} times`;

/** Makes a join code and shows its line, for whose page has the button. */
async function invite(button) {
  const complaint = document.getElementById("invite-error");
  complaint.textContent = "";
  try {
    const { url, code, uses, expires_at } = await make();
    const made = document.getElementById("invite-made");
    made.querySelector("[data-url]").textContent = url;
    made.querySelector("[data-code]").textContent = code;
    made.querySelector("[data-end]").textContent = `${endOf(expires_at)}, ${times(uses)}`;
    made.hidden = false;
    button.textContent = "Make another";
    made.querySelector("[data-copy]").focus();
  } catch ({ message }) {
    complaint.textContent = `No code was made: ${message}`;
  }
}

/** Joins an open room by a code of one's own: its page asks for an id, and keeps the token in this tab. */
async function join() {
  const complaint = document.getElementById("join-error");
  complaint.textContent = "";
  try {
    const { code } = await make();
    location.href = `/join/${code}`;
  } catch ({ message }) {
    complaint.textContent = `Not joined: ${message}`;
  }
}

export function enableInviting() {
  for (const [selector, act] of [["[data-invite]", invite], ["[data-join]", join]]) {
    const button = document.querySelector(selector);
    button?.addEventListener("click", () => once(button, () => act(button)));
  }
}
