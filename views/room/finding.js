/** Everything has an address: following one scrolls to the thing, marks it, and on a small screen turns to its part. */
export function enableFinding(reading) {
  async function find() {
    const id = location.hash.slice(1);
    if (id === "") return;
    if (/^m\d+$/.test(id)) await reading.reach(id);
    const found = document.getElementById(id);
    if (!found) return;
    const part = found.closest("main > section");
    if (part) turnTo(part.id);
    if (found === part) return;
    for (const marked of document.querySelectorAll(".marked")) marked.classList.remove("marked");
    found.classList.add("marked");
    found.hidden = false;
    found.scrollIntoView({ block: "center" });
    found.focus({ preventScroll: true });
  }

  function turnTo(part) {
    document.body.dataset.tab = part;
    for (const tab of document.querySelectorAll(".tabs a")) {
      if (tab.dataset.tab === part) tab.setAttribute("aria-current", "true");
      else tab.removeAttribute("aria-current");
    }
  }

  for (const tab of document.querySelectorAll(".tabs a")) {
    tab.addEventListener("click", (event) => {
      event.preventDefault();
      turnTo(tab.dataset.tab);
      document.getElementById(tab.dataset.tab).querySelector("[tabindex='0']")?.focus({
        preventScroll: true,
      });
    });
  }
  addEventListener("hashchange", find);
  turnTo(document.body.dataset.tab);
  find();
}
