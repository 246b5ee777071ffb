const ROOM = "demo";

/** Makes the requests of the first page's session for real, one after the other, in a new room. */
export function enableSession() {
  const button = document.getElementById("run");
  const note = document.getElementById("run-note");
  if (!button) return;
  const calls = [...document.querySelectorAll("#calls > li")].map((item) => ({
    ...item.dataset,
    item,
    shown: item.querySelector(".call").textContent,
    answer: item.querySelector(".answer"),
  }));

  async function make({ method, path, body, item, shown, answer }, id) {
    const inRoom = (text) =>
      text?.replace(`/rooms/${ROOM}`, `/rooms/${id}`).replace(`"id":"${ROOM}"`, `"id":"${id}"`);
    item.querySelector(".call").textContent = inRoom(shown);
    answer.textContent = "waiting for the answer";
    item.dataset.state = "open";
    const response = await fetch(inRoom(path), { method, body: inRoom(body) });
    answer.textContent = await response.text();
    item.dataset.state = "done";
    if (!response.ok) throw new Error(JSON.parse(answer.textContent).message);
  }

  button.addEventListener("click", async () => {
    const id = `${ROOM}-${crypto.getRandomValues(new Uint32Array(2)).join("-")}`;
    button.disabled = true;
    for (const { item, answer } of calls) {
      delete item.dataset.state;
      answer.textContent = "";
    }
    const pending = [];
    try {
      for (const call of calls) {
        const made = make(call, id);
        pending.push(made);
        // The wait stays open until the write that comes after it.
        if (call.path.endsWith("/wait")) await new Promise((resolve) => setTimeout(resolve, SEEN_MS));
        else await made;
      }
      await Promise.all(pending);
      const link = document.createElement("a");
      link.href = `/?room=${id}`;
      link.textContent = "Look at the room";
      note.replaceChildren(link, " that this has made.");
    } catch (error) {
      await Promise.allSettled(pending);
      note.textContent = `It stopped: ${error.message}`;
    }
    button.disabled = false;
  });
}

/** So long is the wait seen open. */
const SEEN_MS = 1_200;
