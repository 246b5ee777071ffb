/** Updates the status of a message in every blocked task that needs it. */
export function tellNeeds({ dataset: { id, status, unclaimed } }) {
  const word = status ?? (unclaimed === undefined ? "done" : "open");
  for (const need of document.querySelectorAll(`.need[data-need="${id}"]`)) {
    need.dataset.status = word;
    need.querySelector("[data-word]").textContent = word;
  }
}
