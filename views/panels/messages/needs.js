/** Says of a message that was sent how it stands, wherever a blocked task waits for it. */
export function tellNeeds({ dataset: { id, status, unclaimed } }) {
  const word = status ?? (unclaimed === undefined ? "done" : "open");
  for (const need of document.querySelectorAll(`.need[data-need="${id}"]`)) {
    need.dataset.status = word;
    need.querySelector("[data-word]").textContent = word;
  }
}
