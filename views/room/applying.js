import { Idiomorph } from "idiomorph";
import { tellNeeds } from "../panels/messages/needs.js";
import { keepEnd, place } from "../panels/timeline/timeline.js";

/** Preserves what the reader has opened, hidden or selected when an element changes. */
const MORPH = {
  callbacks: { beforeAttributeUpdated: (name) => !["open", "hidden"].includes(name) },
  restoreFocus: false,
};

/** Applies fragments to the page: each updates the element with its id, or is inserted into its list in order. */
export function apply(html) {
  keepEnd(() => applyAll(html));
}

function applyAll(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const pieces = [...template.content.children];
  for (const piece of pieces) {
    if (piece.matches(".message")) tellNeeds(piece);
    const present = document.getElementById(piece.id);
    if (piece.dataset.gone !== undefined) present?.remove();
    else if (!present) insert(piece);
    else if (piece.matches("#timeline-figure, svg")) present.replaceWith(piece);
    else if (!piece.classList.contains("scope")) change(present, piece);
  }
  if (pieces.some(({ id }) => OF_TIMELINE.test(id))) place();
}

const OF_TIMELINE = /^(?:timeline-|event\/|wait\/)/;

/** Returns an element's content without the reader's changes, and without times, which the page updates. */
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
  // Belongs to a part of the list that is not shown.
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
