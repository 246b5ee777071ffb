/**
 * Runs a change of the page so that what the pointer is on stays under it. The browser's own anchoring, which holds
 * the first thing in view and lets what is below it move, is off in a list that is pointed at (page.css).
 */
export function keepPointed(change) {
  const pointed = document.querySelector(":is(#agents, #state) :is(li, .more):hover");
  const top = pointed?.getBoundingClientRect().top;
  change();
  if (!pointed?.isConnected) return;
  pointed.closest("section:not(.scope)").scrollTop += pointed.getBoundingClientRect().top - top;
}
