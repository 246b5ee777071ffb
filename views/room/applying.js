import { Idiomorph } from "idiomorph";

/** What the reader has opened, hidden or selected stays so when the rest of a thing changes. */
const MORPH = {
  callbacks: { beforeAttributeUpdated: (name) => !["open", "hidden"].includes(name) },
  restoreFocus: false,
};

/**
 * Puts pieces drawn by the service into the page: each replaces the element with its id, or is inserted into its
 * list in order.
 */
export function apply(html) {
  const strip = document.getElementById("timeline-scroller");
  // Measured before anything has changed and set after all has: in between each look would lay out the page.
  const atEnd = strip.scrollLeft + strip.clientWidth > strip.scrollWidth - NEAR_END;
  const template = document.createElement("template");
  template.innerHTML = html;
  for (const piece of [...template.content.children]) {
    const present = document.getElementById(piece.id);
    if (piece.dataset.gone !== undefined) present?.remove();
    else if (!present) insert(piece);
    else if (piece.id === "timeline-figure") present.replaceWith(piece);
    else if (!piece.classList.contains("scope")) change(present, piece);
  }
  if (atEnd) strip.scrollLeft = strip.scrollWidth;
}

/** A picture stays at its newest end unless the reader looks back. */
const NEAR_END = 48;

/** What an element says, but for what the reader did to it and for the times, which tick by themselves. */
function lasting(element) {
  const classes = [...element.classList].filter((name) => !OURS.test(name));
  const text = element.innerHTML.replaceAll(/(<time[^>]*>)[^<]*/g, "$1").replaceAll(' open=""', "");
  return classes.join(" ") + text;
}

const OURS = /^(flash|marked|missed|depth-.)$/;

function change(present, piece) {
  if (lasting(present) === lasting(piece)) return;
  piece.classList.add(...[...present.classList].filter((name) => OURS.test(name)));
  Idiomorph.morph(present, piece, MORPH);
  if (present.matches("li")) flash(present);
}

function insert(piece) {
  const list = document.getElementById(piece.dataset.into);
  if (!list) return;
  const order = ORDERS[piece.classList[0]];
  const next = order && [...list.children].findLast((other) => order(other, piece) <= 0)?.nextElementSibling;
  const first = order && list.children.length > 0 && order(list.firstElementChild, piece) > 0;
  // What belongs to a part of the list that is not shown stays there.
  if (first && piece.matches(".message") && !document.getElementById("older").hidden) return;
  if (!first && !next && list.nextElementSibling?.matches(".more")) return;
  list.insertBefore(piece, first ? list.firstElementChild : next ?? null);
  if (piece.matches("li")) flash(piece);
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
