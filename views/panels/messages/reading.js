import { ask } from "../../room/token.js";
import { tellReach } from "./reach.js";
import { arrange } from "./threads.js";

const NEAR_END = 48;
const MAX_SHOWN = 400;
const ANNOUNCED_EVERY_MS = 10_000;
const PAGE = 100;

/** Keeps the conversation readable: what is being read does not move, and a reader at the end sees the newest. */
export function createReading(path) {
  const scroller = document.getElementById("messages-scroller");
  const list = document.getElementById("messages");
  const older = document.getElementById("older");
  const fresh = document.getElementById("fresh");
  const filters = document.getElementById("filters");
  const choices = (name) => new Set([...filters.elements[name].options].map(({ value }) => value));
  const offered = { kind: choices("kind"), from: choices("from") };
  let unseen = 0;
  let told = 0;
  let marked; // the absence whose first message is marked
  let loading; // the older messages that are on their way
  let following = false; // whether the reader was at the end before the list was hidden, or changed its size

  function atEnd() {
    if (scroller.clientHeight === 0) return following;
    return scroller.scrollTop + scroller.clientHeight > scroller.scrollHeight - NEAR_END;
  }

  function toEnd() {
    following = true;
    scroller.scrollTop = scroller.scrollHeight;
    seen();
  }

  function seen() {
    unseen = 0;
    fresh.hidden = true;
  }

  function matches({ dataset }) {
    const chosen = (name) => filters.elements[name].value;
    return ["kind", "from", "status"].every((name) => ["", dataset[name]].includes(chosen(name)));
  }

  /** Shows the messages that match the filters, and offers every kind and sender seen so far. */
  function filter(messages = list.children) {
    for (const message of messages) {
      message.hidden = !matches(message);
      offer("kind", message.dataset.kind);
      offer("from", message.dataset.from);
    }
    const shown = list.querySelector(".message:not([hidden])") !== null;
    document.getElementById("none").hidden = shown || list.children.length === 0;
    arrange(list, filters.elements.threads.checked);
  }

  function offer(name, choice) {
    if (!choice || offered[name].has(choice)) return;
    offered[name].add(choice);
    filters.elements[name].add(new Option(choice, choice));
  }

  function show(added, { followed, missed, top }) {
    filter(added);
    unseen = (followed ? 0 : unseen) + added.length;
    announce();
    if (missed) mark(added, missed);
    if (followed) {
      prune();
      tellReach(list);
      return toEnd();
    }
    scroller.scrollTop = top;
    if (missed) pruneAbove();
    following = atEnd(); // what came is below: no change of size may pass over it
    tellReach(list);
    if (missed && following) return seen();
    fresh.hidden = false;
    fresh.querySelector("[data-count]").textContent = unseen.toLocaleString("en");
  }

  /** Marks the first message of each absence. */
  function mark(added, absence) {
    if (marked === absence) return;
    marked = absence;
    for (const message of list.querySelectorAll(".missed")) message.classList.remove("missed");
    (added.find(({ hidden }) => !hidden) ?? added[0]).classList.add("missed");
  }

  /** Removes the oldest messages beyond the maximum. */
  function prune() {
    const excess = [...list.children].slice(0, -MAX_SHOWN);
    if (excess.length === 0 || filters.elements.threads.checked) return;
    for (const message of excess) message.remove();
    countOlder(Number(older.querySelector("[data-count]").textContent) + excess.length);
  }

  /** Prunes what was missed: what is below does not move, and the first message left is marked. */
  function pruneAbove() {
    const below = scroller.scrollHeight - scroller.scrollTop;
    const first = list.querySelector(".missed");
    prune();
    if (first?.isConnected === false) list.firstElementChild.classList.add("missed");
    scroller.scrollTop = scroller.scrollHeight - below;
  }

  function countOlder(count) {
    // Whoever asked by the keyboard goes on where the button was.
    if (count === 0 && older.contains(document.activeElement)) scroller.focus({ preventScroll: true });
    older.querySelector("[data-count]").textContent = count;
    older.hidden = count === 0;
  }

  /** The smallest id of the list; Infinity of an empty one. */
  function oldest() {
    let min = Infinity;
    for (const { dataset: { id } } of list.children) min = Math.min(min, id);
    return min;
  }

  /** Loads older messages, one page at a time. Returns whether it came. */
  function load(limit = PAGE) {
    return loading ??= loadPage(limit).finally(() => loading = undefined);
  }

  async function loadPage(limit) {
    const before = oldest();
    const query = new URLSearchParams({ limit, ...(Number.isFinite(before) && { before }) });
    const response = await ask(`${path}/live/messages?${query}`).catch(() => undefined);
    if (!response?.ok) return false;
    const distance = scroller.scrollHeight - scroller.scrollTop;
    list.insertAdjacentHTML("afterbegin", await response.text());
    countOlder(Number(response.headers.get("Convene-Older")));
    filter();
    tellReach(list);
    scroller.scrollTop = scroller.scrollHeight - distance;
    return true;
  }

  /** Announces new messages to screen readers, at most every 10 s. */
  function announce() {
    if (unseen === 0 || Date.now() - told < ANNOUNCED_EVERY_MS) return;
    told = Date.now();
    const words = unseen === 1 ? "1 new message" : `${unseen} new messages`;
    document.getElementById("announcer").textContent = words;
  }

  filters.addEventListener("change", () => {
    filter();
    toEnd();
  });
  fresh.addEventListener("click", toEnd);
  older.addEventListener("click", () => load());
  scroller.addEventListener("scroll", () => {
    following = atEnd();
    if (unseen > 0 && following) seen();
  }, { passive: true });
  // As when a keyboard comes up, a tab is chosen or a line of the header wraps.
  new ResizeObserver(() => {
    if (following) scroller.scrollTop = scroller.scrollHeight;
  }).observe(scroller);
  tellReach(list);
  // The first calls, which an empty room shows, are read from the top.
  if (list.children.length > 0) toEnd();

  return {
    /**
     * Runs a change of the page so that what is being read stays where it is. `missed`: the absence in which
     * it happened, if the page was hidden: then the position stays, and the first message of the absence is marked.
     */
    keepPosition(change, missed) {
      const followed = list.children.length === 0 || (!missed && atEnd());
      const top = scroller.scrollTop;
      const known = new Set(list.children);
      change();
      const added = [...list.children].filter((message) => !known.has(message));
      if (added.length > 0) show(added, { followed, missed, top });
      else tellReach(list);
    },
    /** Loads older messages until the list reaches back to an id, whether there is such a message or not. */
    async reach(id) {
      while (oldest() > id && !older.hidden && await load(1_000));
    },
  };
}
