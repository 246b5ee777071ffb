/**
 * Changes the page and keeps the element under the pointer in its position. The browser's scroll anchoring keeps the
 * first element in view instead, so room.css disables it in a list under the pointer.
 */
export function keepPointed(change) {
  const pointed = document.querySelector(":is(#agents, #reservations, #state) :is(li, .more):hover");
  const top = pointed?.getBoundingClientRect().top;
  change();
  if (!pointed?.isConnected) return;
  pointed.closest("section:not(.scope)").scrollTop += pointed.getBoundingClientRect().top - top;
}
