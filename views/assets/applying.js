import { Idiomorph } from "./idiomorph.js";

/** What the reader has opened, hidden or selected stays so when the rest of a thing changes. */
const MORPH = {
  callbacks: { beforeAttributeUpdated: (name) => !["open", "hidden"].includes(name) },
  restoreFocus: false,
};

/**
 * Puts pieces drawn by the service into the page: each takes the place of what has its id, or goes where its
 * list has a place for it.
 */
export function apply(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  for (const piece of [...template.content.children]) {
    const present = document.getElementById(piece.id);
    if (piece.dataset.gone !== undefined) present?.remove();
    else if (!present) place(piece);
    else if (piece.id === "timeline-figure") replaceFigure(present, piece);
    else if (!piece.classList.contains("scope")) change(present, piece);
  }
}

function change(present, piece) {
  Idiomorph.morph(present, piece, MORPH);
  if (present.matches("li")) flash(present);
}

/** A picture is drawn anew, and stays at its newest end unless the reader looks back. */
function replaceFigure(present, piece) {
  const strip = present.parentElement;
  const atEnd = strip.scrollLeft + strip.clientWidth > strip.scrollWidth - 48;
  present.replaceWith(piece);
  if (atEnd) strip.scrollLeft = strip.scrollWidth;
}

function place(piece) {
  const list = document.getElementById(piece.dataset.into);
  if (!list) return;
  const order = ORDERS[piece.classList[0]];
  const next = order && [...list.children].findLast((other) => order(other, piece) <= 0)?.nextElementSibling;
  const first = order && list.children.length > 0 && order(list.firstElementChild, piece) > 0;
  // What belongs to a part of the list that is not shown stays there.
  if (first && piece.matches(".message") && !document.getElementById("older").hidden) return;
  if (!first && !next && list.nextElementSibling?.matches(".more")) return;
  list.insertBefore(piece, first ? list.firstElementChild : next ?? null);
  flash(piece);
}

const compare = (a, b) => a < b ? -1 : a > b ? 1 : 0;
const rank = ({ dataset: { scope } }) => scope.startsWith("_") ? 0 : 1;
const ORDERS = {
  message: (a, b) => a.dataset.id - b.dataset.id,
  entry: (a, b) => compare(a.dataset.key, b.dataset.key),
  scope: (a, b) => rank(a) - rank(b) || compare(a.dataset.scope, b.dataset.scope),
};

const FLASH_MS = 600;

function flash(element) {
  element.classList.remove("flash");
  requestAnimationFrame(() => element.classList.add("flash"));
  setTimeout(() => element.classList.remove("flash"), FLASH_MS + 50);
}
