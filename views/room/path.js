/** The API's path of this page's room. */
export const path = `/rooms/${encodeURIComponent(document.body.dataset.room)}`;
