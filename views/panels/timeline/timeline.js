// Lets a strip be dragged; it begins at its newest end, on a narrow page when its tab is chosen.
const strip = document.getElementById("timeline-scroller");
const shown = new ResizeObserver(() => {
  if (strip.clientWidth === 0) return;
  strip.scrollLeft = strip.scrollWidth;
  shown.disconnect();
});
shown.observe(strip);
let from;
strip.addEventListener("pointerdown", (event) => {
  if (event.pointerType === "mouse" && event.button === 0) from = event.clientX + strip.scrollLeft;
});
addEventListener("pointermove", (event) => {
  if (from !== undefined) strip.scrollLeft = from - event.clientX;
});
addEventListener("pointerup", () => from = undefined);
strip.addEventListener("dragstart", (event) => event.preventDefault());
