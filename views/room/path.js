/** Where the API has the room of this page. */
export const path = `/rooms/${encodeURIComponent(document.body.dataset.room)}`;
