// A piece of a participant page: markup made and escaped by the server, with the few things that need a browser.

const SEND_MS = 8000; // how long a page waits for answers that are still to be sent
const shown = new WeakMap();
const timers = new WeakMap();
const unsent = new Map();

function fillForms(root, words) {
  // Minutes east of UTC; getTimezoneOffset counts westwards.
  for (const field of root.querySelectorAll("[name=utc_offset]")) field.value = -new Date().getTimezoneOffset();
  for (const box of root.querySelectorAll("input[type=checkbox][required]")) {
    // The browser's own message is in the browser's language, which need not be the study's.
    const explain = () => box.setCustomValidity(box.checked ? "" : words.tick);
    box.addEventListener("change", explain);
    explain();
  }
}

function enableCopy(root, words) {
  for (const button of root.querySelectorAll("[data-copy]")) {
    button.addEventListener("click", async () => {
      const source = root.querySelector(button.dataset.copy);
      try {
        await navigator.clipboard.writeText(source.textContent);
        button.textContent = words.copied;
      } catch {
        getSelection().selectAllChildren(source); // no clipboard without TLS: leave it selected
      }
    });
  }
}

/** What this browser has not sent of a session. */
function unsentOf(session, where) {
  if (!unsent.has(session)) unsent.set(session, new Unsent(session, where));
  return unsent.get(session);
}

/** Keep nothing of a session any more, once the server has judged each of its answers. */
async function forget(session, where) {
  const kept = unsentOf(session, where);
  if (await kept.sent(Infinity)) kept.forget();
}

/** Forms that first send what the browser keeps, or that leave no entry in the history. */
function enableForms(root, data) {
  for (const form of root.querySelectorAll("form[data-send], form[data-replace]")) {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (form.dataset.busy) return;
      form.dataset.busy = "1";
      const { submitter } = event;
      const body = new URLSearchParams(new FormData(form, submitter));
      form.action = submitter?.getAttribute("formaction") ?? form.action;
      if (form.dataset.send && !(await maySubmit(form, submitter, data))) await pause(EARLY_MS);
      else if (await submit(form, body, data)) return;
      delete form.dataset.busy;
    });
  }
}

/** Send what the browser keeps; where that fails, tell it, and leave the choice to a second press. */
async function maySubmit(form, button, data) {
  const kept = unsentOf(form.dataset.send, data.send);
  if (form.dataset.told || (await kept.sent(SEND_MS))) return true;
  const [line, usual] = [warn(form, fill(data.words.unsent, { n: kept.count })), button.textContent];
  form.dataset.told = "1";
  button.textContent = form.dataset.without;
  kept.sent(Infinity).then((sent) => {
    if (!sent) return;
    line.remove();
    delete form.dataset.told;
    button.textContent = usual;
  });
  return false;
}

/** False where the browser could not be made ready for a lab's next participant. */
async function submit(form, body, { words }) {
  const { replace: way } = form.dataset;
  if (way !== undefined && (await replace(form, body))) return true;
  if (way === "wipe") warn(form, words.failed);
  else form.submit();
  return way !== "wipe";
}

function warn(form, words) {
  form.querySelector(".problem")?.remove();
  const line = node("p", { class: "problem", role: "alert" }, words);
  form.prepend(line);
  return line;
}

/** Submit without a new entry in the history: nothing to go back to. False when the server did not do it. */
async function replace(form, body) {
  try {
    const reply = await fetch(form.action, { method: "POST", body });
    if (!reply.ok) return false;
    if (form.dataset.replace === "wipe") wipe(form.dataset.send);
    location.replace(reply.url);
    return true;
  } catch {
    return false;
  }
}

/** Leave nothing of this participant in the browser, and nothing on a page that it may keep for Back. */
function wipe(session) {
  try {
    sessionStorage.clear();
    for (const name of Object.keys(localStorage)) if (!waitsElsewhere(name, session)) localStorage.removeItem(name);
  } catch {
    // A browser that refuses it has kept nothing.
  }
  for (const page of document.querySelectorAll(".fn-page")) page.replaceChildren();
}

/** Whether a name holds what another study's session has not sent: only its own page can. */
function waitsElsewhere(name, session) {
  const [, owner = session] = name.match(/^facenorm:([^:]+):(?:queue$|questions:)/) ?? [];
  return owner !== session && localStorage.getItem(name) !== "[]";
}

/** Links of an open page: with the server told that it is open, the page load that follows ends no absence. */
function enableHere(root, { send }) {
  for (const link of root.querySelectorAll("[data-here]")) {
    link.addEventListener("click", async (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // to be opened beside this page
      event.preventDefault();
      await stayed(link.dataset.here, send.token);
      location.assign(link.href);
    });
  }
}

/** The way out of an app's own browser; the address is known here alone. */
function enableOutside(root) {
  for (const link of root.querySelectorAll("[data-outside]")) {
    const here = new URL(location.href);
    if (link.dataset.outside === "kakaotalk") {
      link.href = `kakaotalk://web/openExternal?url=${encodeURIComponent(here.href)}`;
    } else {
      here.searchParams.set("openExternalBrowser", "1");
      link.href = here.href;
    }
  }
}

/** A note for those who come with another device than the study recommends. */
function tellDevice(root) {
  // A laptop with a touch screen is a computer; a tablet that calls itself a Mac is none.
  const device = matchMedia("(hover: none) and (pointer: coarse)").matches ? "phone" : "computer";
  for (const note of root.querySelectorAll("[data-device]")) note.hidden = note.dataset.device === device;
}

/** How many answers this browser has not sent yet: told while the page is open, since another tab may send. */
function tellUnsaved(root, { send }) {
  for (const note of root.querySelectorAll("[data-unsaved]")) {
    const tell = () => {
      const { count } = unsentOf(note.dataset.unsaved, send);
      note.hidden = !count;
      note.querySelector("[data-count]").textContent = count;
      if (note.isConnected) setTimeout(tell, 1000);
    };
    tell();
  }
}

/** A page that came instead of another one is read from its heading. */
function focusHeading(root) {
  const heading = root.querySelector("[data-focus]");
  if (!heading) return;
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
}

/** What happens by itself after some seconds, unless the participant stays. */
function startTimers(root) {
  clearInterval(timers.get(root));
  const box = root.querySelector("[data-after]");
  if (!box) return;
  let left = Number(box.dataset.after);
  const timer = setInterval(() => {
    left -= 1;
    for (const place of box.querySelectorAll("[data-seconds]")) place.textContent = Math.max(0, left);
    if (left > 0) return;
    clearInterval(timer);
    root.querySelector("[data-go]")?.click();
  }, 1000);
  timers.set(root, timer);
  box.querySelector("[data-stay]")?.addEventListener("click", () => {
    clearInterval(timer);
    box.remove();
    root.querySelector("[data-go]")?.focus();
  });
}

// A page restored from the back-forward cache shows what was true of somebody long ago.
window.addEventListener("pageshow", (event) => event.persisted && location.reload());

export default function ({ data, parentElement: root }) {
  document.documentElement.lang = data.lang;
  if (data.title) document.title = data.title;
  if (shown.get(root) === data.html) return undefined;
  shown.set(root, data.html);
  const holder = root.querySelector(".fn-page") ?? root.appendChild(document.createElement("div"));
  holder.className = "fn-page";
  holder.lang = data.lang;
  holder.innerHTML = data.html;
  fillForms(holder, data.words);
  enableCopy(holder, data.words);
  enableForms(holder, data);
  enableHere(holder, data);
  enableOutside(holder);
  tellDevice(holder);
  startTimers(holder);
  tellUnsaved(holder, data);
  focusHeading(holder);
  if (data.address) history.replaceState(history.state, "", data.address);
  if (data.forget) forget(data.forget, data.send);
  return undefined;
}
