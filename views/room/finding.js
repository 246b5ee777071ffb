/** Makes addresses work: scrolls to the element, marks it, and on a narrow page shows its panel. */
export function enableFinding(reading) {
  async function find() {
    const id = location.hash.slice(1);
    if (id === "") return;
    if (/^m\d+$/.test(id)) await reading.reach(Number(id.slice(1)));
    const found = document.getElementById(id);
    if (!found) return;
    const part = found.closest(".place > section");
    if (part) showPanel(part.id);
    if (found === part) return;
    if (!found.matches("li, section")) return enter(found);
    for (const marked of document.querySelectorAll(".marked")) marked.classList.remove("marked");
    found.classList.add("marked");
    found.hidden = false;
    found.scrollIntoView({ block: "center" });
    found.focus({ preventScroll: true });
  }

  /** Follows a skip link: its target is a place to be, not one to send to others. */
  function enter(target) {
    history.replaceState(history.state, "", location.origin + location.pathname + location.search);
    target.focus();
  }

  function showPanel(part) {
    document.body.dataset.tab = part;
    for (const tab of document.querySelectorAll(".tabs a")) {
      if (tab.dataset.tab === part) tab.setAttribute("aria-current", "true");
      else tab.removeAttribute("aria-current");
    }
  }

  for (const tab of document.querySelectorAll(".tabs a")) {
    tab.addEventListener("click", (event) => {
      event.preventDefault();
      showPanel(tab.dataset.tab);
      document.getElementById(tab.dataset.tab).querySelector("[tabindex='0']")?.focus({
        preventScroll: true,
      });
    });
  }
  addEventListener("hashchange", find);
  showPanel(document.body.dataset.tab);
  find();
}
