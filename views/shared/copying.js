import { keptToken } from "../room/token.js";

/** Quotes a text for a POSIX shell. */
function quoted(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function textOf(button) {
  switch (button.dataset.copy) {
    case "link":
      return location.href;
    case "token":
      return keptToken();
    case "get": {
      const { get } = button.closest("[data-get]").dataset;
      const token = "token" in document.body.dataset ? '-H "Authorization: Bearer $CONVENE_TOKEN" ' : "";
      return `curl -s ${token}${quoted(location.origin + get)}`;
    }
    default:
      return button.parentElement.querySelector("pre").textContent;
  }
}

/** Copies a text, where the page may not use the clipboard (no TLS) by selecting it. Returns whether it was copied. */
async function write(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copySelected(text);
  }
}

/** Copies what is selected in a field of its own, and gives the focus back. */
function copySelected(text) {
  const focused = document.activeElement;
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "visually-hidden";
  document.body.append(field);
  field.select();
  const isCopied = document.execCommand("copy");
  field.remove();
  focused.focus({ preventScroll: true });
  return isCopied;
}

async function copy(button) {
  const label = button.dataset.label ??= button.textContent;
  button.textContent = await write(textOf(button)) ? "copied" : "not copied";
  setTimeout(() => button.textContent = label, 1_200);
}

/** Enables the copy buttons, and the key c on the address of an element that has one. */
export function enableCopying() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (button) copy(button);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "c" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches?.("input, select, textarea")) return;
    const button = event.target.closest?.("[data-get]")?.querySelector("[data-copy=get]");
    if (button) copy(button);
  });
}
