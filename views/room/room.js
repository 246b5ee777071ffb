import { apply } from "./applying.js";
import { startClock } from "../shared/clock.js";
import { enableCopying } from "../shared/copying.js";
import { enableFinding } from "./finding.js";
import { follow } from "./following.js";
import { enableInviting } from "./inviting.js";
import { path } from "./path.js";
import { keepPointed } from "./pointing.js";
import { createReading } from "../panels/messages/reading.js";
import { enableWholeValues } from "./whole_values.js";

const { revision, now } = document.body.dataset;
const reading = createReading(path);

enableCopying();
enableFinding(reading);
enableInviting();
enableWholeValues();
startClock(Date.parse(now));

follow(path, Number(revision), (html, missed) => {
  performance.mark("update-begins");
  keepPointed(() => reading.keepPosition(() => apply(html), missed));
  performance.measure("update", "update-begins");
});
