// The trial element: shows the faces of a session one after another, times the answers with the
// browser's own clock, keeps them in localStorage and posts them until the server acknowledges.

const AHEAD = 4; // pictures decoded before they are needed
const BATCH = 40; // answers per request
const BATCH_BYTES = 50000; // Chromium fails a keepalive request with more than 64 KiB like a lost network
const AFTER_MS = 50; // three frames: what must not hold up the next face comes so long after it
const TIMEOUT_MS = 15000;
const BEAT_MS = 2000;
const LEASE_MS = 7000; // a lease not renewed for so long is free
const SLOW_MS = 2000; // an answer on its way for longer is worth a word
const LATE_MS = 100; // a second frame later than this says nothing about when the face appeared
const EARLY_MS = 400; // a press so soon was meant for what stood there before
const SAMPLE_MS = 500; // frames are timed so long after a face appears
const PATIENCE_MS = 4000; // who leaves waits so long for the server
const PAIRS = "identity_pairs";

const frame = () => new Promise(requestAnimationFrame);
/** Tell the server that this page is open, so that the page load that follows ends no absence; no answer is no matter. */
const stayed = (url, token) => {
  const headers = { "X-Facenorm-Token": token };
  return fetch(url, { method: "POST", headers, signal: AbortSignal.timeout(PATIENCE_MS) }).catch(() => {});
};
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

function node(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
