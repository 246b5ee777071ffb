const UNITS = [[60, 1, "s"], [3_600, 60, "min"], [86_400, 3_600, "h"], [Infinity, 86_400, "d"]];

/** Words a distance in time in its largest unit, for the service and for the page's script. NaN is one of days. */
export function words(seconds) {
  const [, size, unit] = UNITS.find(([max]) => seconds < max) ?? UNITS.at(-1);
  return `${Math.max(0, Math.floor(seconds / size))} ${unit}`;
}

let ahead = 0;

/** Returns the milliseconds since a time, by the service's clock. */
export function since(moment) {
  return Date.now() + ahead - moment;
}

/** Sets the clock; `now`: the service's time when it drew the page. */
export function setClock(now) {
  ahead = now - Date.now();
}

/** Sets the clock, and updates every distance in time each second, past and to come. */
export function startClock(now) {
  setClock(now);
  setInterval(() => {
    for (const time of document.querySelectorAll("time[data-ago], time[data-left]")) {
      const seconds = since(Date.parse(time.dateTime)) / 1_000;
      const text = words("left" in time.dataset ? Math.ceil(-seconds) : Math.floor(seconds));
      if (time.textContent !== text) time.textContent = text;
    }
  }, 1_000);
}
