/** Updates the figures beside the filters: how many messages the list has, and how many the room has. */
export function tellReach(list) {
  const { messages, unclaimed } = document.getElementById("counts").dataset;
  const figures = {
    here: list.children.length,
    messages: Number(messages),
    "unclaimed-here": list.querySelectorAll(":scope > [data-unclaimed]").length,
    unclaimed: Number(unclaimed),
  };
  for (const element of document.querySelectorAll("#talk [data-figure]")) {
    const text = figures[element.dataset.figure].toLocaleString("en");
    if (element.textContent !== text) element.textContent = text;
  }
  document.getElementById("reach").hidden = figures.here >= figures.messages;
}
