// The trial element: shows the faces of a session one after another, times the answers with the
// browser's own clock, keeps them in localStorage and posts them until the server acknowledges.

const AHEAD = 4; // pictures decoded before they are needed
const BATCH = 40; // answers per request
const BATCH_BYTES = 50000; // Chromium fails a keepalive request with more than 64 KiB like a lost network
const TIMEOUT_MS = 15000;
const BEAT_MS = 2000;
const LEASE_MS = 7000; // a lease not renewed for so long is free
const SLOW_MS = 2000; // an answer on its way for longer is worth a word
const LATE_MS = 100; // a second frame later than this says nothing about when the face appeared

const frame = () => new Promise(requestAnimationFrame);
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

function node(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** Named JSON values of one session in localStorage, or in memory where the browser refuses. */
class Store {
  constructor(session) {
    this.prefix = `facenorm:${session}:`;
    this.memory = new Map();
    this.durable = true;
    this.write("probe", 1);
    this.remove("probe");
  }

  read(name, otherwise) {
    try {
      const text = this.memory.get(name) ?? localStorage.getItem(this.prefix + name);
      return text === null ? otherwise : JSON.parse(text);
    } catch {
      return otherwise;
    }
  }

  write(name, value) {
    const text = JSON.stringify(value);
    try {
      localStorage.setItem(this.prefix + name, text);
      this.memory.delete(name);
    } catch {
      this.durable = false;
      this.memory.set(name, text);
    }
  }

  remove(name) {
    this.memory.delete(name);
    try {
      localStorage.removeItem(this.prefix + name);
    } catch {
      this.durable = false;
    }
  }
}

/** The right to rate in this tab: one tab of a browser holds it at a time. */
class Lease {
  constructor(store, lost) {
    this.store = store;
    this.lost = lost;
    this.tab = Math.random().toString(36).slice(2);
    this.held = false;
    this.check = () => {
      if (this.held && !this.mine()) {
        this.held = false;
        this.lost();
      }
    };
    window.addEventListener("storage", this.check);
    this.timer = setInterval(() => {
      this.check();
      if (this.held) this.take();
    }, BEAT_MS);
  }

  mine() {
    return !this.store.durable || this.store.read("lease", {}).tab === this.tab;
  }

  /** arriving: may a page that was just loaded have it? "next" is kept for the tab that reloads to take it. */
  free(arriving) {
    const { tab, at } = this.store.read("lease", {});
    // Either sign: a clock that was set back must not lock the participant out.
    return !tab || (arriving && tab === "next") || Math.abs(Date.now() - at) > LEASE_MS;
  }

  take(tab = this.tab) {
    this.held = tab === this.tab;
    this.store.write("lease", { tab, at: Date.now() });
  }

  release() {
    if (this.held && this.mine()) this.store.remove("lease");
    this.held = false;
  }

  destroy() {
    this.release();
    clearInterval(this.timer);
    window.removeEventListener("storage", this.check);
  }
}

/** Answers that the server has not acknowledged, sent in order until it has. */
class Outbox {
  constructor(store, { url, token, answered }, changed) {
    Object.assign(this, { store, url, token, changed });
    this.saved = new Set(answered); // trials whose answer the server has acknowledged
    this.items = store.read("queue", []);
    this.aside = store.read("aside", []); // refused: kept and reported, never sent again
    this.failures = 0;
    this.started = 0;
    this.limit = BATCH;
    this.stopped = null; // why the server refuses everything
    this.closed = false;
    this.wake = () => this.send();
    window.addEventListener("online", this.wake);
    document.addEventListener("visibilitychange", this.wake);
  }

  add(answer) {
    this.items.push(answer);
    this.keep();
  }

  keep() {
    this.store.write("queue", this.items);
    if (this.aside.length) this.store.write("aside", this.aside);
    else this.store.remove("aside");
    this.changed();
  }

  async send() {
    clearTimeout(this.timer);
    if (this.sending || this.closed || this.stopped || !this.items.length) return;
    this.sending = true;
    this.started = performance.now();
    try {
      const progress = await this.post(this.batch());
      this.failures = progress ? 0 : this.failures + 1;
    } catch {
      this.failures += 1; // no network, a server that restarts, a proxy's page: all pass
    }
    this.sending = false;
    this.changed();
    if (this.items.length) this.timer = setTimeout(this.wake, this.delay());
  }

  /** The first answers that fit into one request: at least one, whatever its size. */
  batch() {
    const items = this.items.slice(0, this.limit);
    let bytes = 0;
    const end = items.findIndex((answer, index) => {
      bytes += new Blob([JSON.stringify(answer)]).size + 1;
      return index > 0 && bytes > BATCH_BYTES;
    });
    return end < 0 ? items : items.slice(0, end);
  }

  delay() {
    if (!this.failures) return 0;
    return Math.min(15000, 1000 * 1.6 ** (this.failures - 1)) * (0.8 + 0.4 * Math.random());
  }

  /** Send a batch; false when the server's answer settled nothing. */
  async post(batch) {
    const reply = await fetch(this.url, {
      method: "POST",
      keepalive: true,
      headers: { "Content-Type": "application/json", "X-Facenorm-Token": this.token },
      body: JSON.stringify({ answers: batch }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (reply.status >= 500 || reply.status === 429 || reply.status === 408) throw new Error(reply.status);
    const said = await reply.json();
    if (this.closed) return false;
    if (reply.ok || said.rejected) return this.settle(said.acked ?? [], said.rejected ?? []);
    return this.refuse(batch, reply.status, said.error ?? String(reply.status));
  }

  settle(acked, rejected) {
    const same = (answer) => (pair) => pair[0] === answer.trial_id && pair[1] === answer.revision;
    const refusal = (answer) => rejected.find((r) => same(answer)([r.trial_id, r.revision]));
    for (const answer of this.items) {
      const refused = refusal(answer);
      if (refused) this.aside.push({ answer, status: refused.status, reason: refused.reason });
      else if (acked.some(same(answer))) this.accept(answer);
    }
    const waiting = this.items.filter((answer) => !refusal(answer) && !acked.some(same(answer)));
    const progress = waiting.length < this.items.length;
    this.items = waiting;
    this.keep();
    return progress;
  }

  accept(answer) {
    this.saved.add(answer.trial_id);
    this.aside = this.aside.filter((entry) => entry.answer.trial_id !== answer.trial_id);
  }

  /** The request as a whole was refused; find the one bad answer, or stop. */
  refuse(batch, status, reason) {
    const malformed = status === 400 || status === 409 || status === 413 || status === 422;
    const [{ trial_id, revision }] = batch;
    if (malformed && batch.length === 1) return this.settle([], [{ trial_id, revision, status, reason }]);
    if (malformed) this.limit = 1;
    else this.stopped = reason;
    return true;
  }

  get slow() {
    return Boolean(this.sending) && performance.now() - this.started > SLOW_MS;
  }

  /** Refused answers whose trial the server still lacks (409 means that it has another one). */
  lacking() {
    return this.aside.filter((entry) => entry.status !== 409).map((entry) => entry.answer.trial_id);
  }

  destroy() {
    this.closed = true;
    clearTimeout(this.timer);
    window.removeEventListener("online", this.wake);
    document.removeEventListener("visibilitychange", this.wake);
  }
}

/** Pictures loaded and decoded ahead of their trials. */
class Pictures {
  constructor(trials, failing) {
    Object.assign(this, { trials, failing });
    this.held = new Map();
    this.waiting = new Set();
    this.retry = () => {
      for (const go of this.waiting) go();
    };
    window.addEventListener("online", this.retry);
  }

  ahead(position) {
    for (const index of this.held.keys()) if (Math.abs(index - position) > AHEAD) this.held.delete(index);
    for (let index = position; index <= position + AHEAD && index < this.trials.length; index++) this.get(index);
  }

  get(index) {
    if (!this.held.has(index)) {
      const entry = { ready: false, failed: false };
      const all = this.trials[index].stimuli.map(({ src }) => this.load(src, entry));
      entry.faces = Promise.all(all).then((faces) => {
        entry.ready = true;
        return faces;
      });
      this.held.set(index, entry);
    }
    return this.held.get(index);
  }

  async load(src, entry) {
    for (let failures = 0; ; failures++) {
      const image = node("img", { src, alt: "", draggable: "false", elementtiming: "face" });
      const loaded = await new Promise((resolve) => {
        image.onload = () => resolve(true);
        image.onerror = () => resolve(false);
      });
      if (loaded) return this.decode(image, failures === 0);
      entry.failed = true;
      this.failing();
      await this.patience(Math.min(10000, 1000 * 2 ** failures));
    }
  }

  patience(ms) {
    return new Promise((resolve) => {
      const go = () => {
        this.waiting.delete(go);
        resolve();
      };
      this.waiting.add(go);
      setTimeout(go, ms);
    });
  }

  async decode(image, atOnce) {
    const start = performance.now();
    try {
      await image.decode();
      return { image, ms: performance.now() - start, ok: atOnce };
    } catch {
      return { image, ms: null, ok: false }; // it loaded, so it may be shown; the trial is flagged
    }
  }

  destroy() {
    window.removeEventListener("online", this.retry);
    this.retry();
  }
}

/** What all scales share: one answer with its times, and no answer to begin with. */
class Scale {
  constructor(spec, view) {
    Object.assign(this, { spec, view });
    this.heading = node("h2", { id: `fn-q-${spec.id}` }, spec.question);
    this.remark = node("span", { class: "fn-remark" });
    this.root = node("section", { class: `fn-scale fn-${spec.kind}` }, node("div", { class: "fn-ask" }, this.heading, this.remark));
    if (spec.instruction) this.root.append(node("p", { class: "fn-instruction" }, spec.instruction));
    this.clear();
  }

  clear() {
    Object.assign(this, { value: null, first: null, changes: 0, gesture: null, applicable: true });
  }

  get open() {
    return this.applicable && this.value === null;
  }

  /** A gesture is one drag, one press of a button or one visit by keyboard. */
  set(value, event, gesture) {
    if (!this.view.accepting || !this.applicable) return;
    const changed = value !== this.value;
    if (this.value === null) this.gesture = gesture;
    else if (changed && gesture !== this.gesture) {
      this.changes += 1;
      this.gesture = gesture;
    }
    this.first ??= event.timeStamp - this.view.onset;
    this.value = value;
    this.view.touched(this, event, changed);
  }

  suit(applicable) {
    if (applicable === this.applicable) return;
    if (!applicable) this.value = null;
    this.applicable = applicable;
    this.paint();
  }

  response(submitted) {
    const chosen = this.spec.kind === "choice";
    return {
      scale_id: this.spec.id,
      status: this.applicable ? "answered" : "not_applicable",
      value: chosen ? null : this.value,
      label: chosen ? this.value : null,
      rt_first_ms: this.applicable ? this.first : null,
      rt_submit_ms: submitted - this.view.onset,
      n_changes: this.changes,
    };
  }

  restore({ status, value, label }) {
    this.applicable = status === "answered";
    this.value = label ?? value;
  }

  mark(missing) {
    this.root.classList.toggle("fn-open", missing);
  }

  paint() {
    this.root.classList.toggle("fn-off", !this.applicable);
    this.remark.textContent = this.applicable ? "" : this.view.words["trial.not_applicable"];
    if (!this.open) this.mark(false);
  }
}

/** A forced choice or a Likert scale: a radio group with one stop for the Tab key. */
class Choice extends Scale {
  constructor(spec, view) {
    super(spec, view);
    this.options = spec.options.map(({ code, text }, index) => {
      const key = node("kbd", { "aria-hidden": "true" }, String((index + 1) % 10));
      const button = node("button", { type: "button", role: "radio" }, node("span", {}, text));
      if (spec.kind === "choice" && index < 10) button.prepend(key);
      button.addEventListener("click", (event) => this.pick(index, event));
      return { code, button };
    });
    const named = { role: "radiogroup", "aria-labelledby": this.heading.id, tabindex: "-1" };
    this.group = node("div", { ...named, class: "fn-options" });
    this.group.append(...this.options.map(({ button }) => button));
    this.root.append(this.group);
    if (spec.anchors) this.root.append(anchors(spec.anchors));
    this.group.style.setProperty("--points", spec.options.length);
    this.paint();
  }

  pick(index, event) {
    if (index < this.options.length) this.set(this.options[index].code, event, Symbol(index));
  }

  get stop() {
    const chosen = this.options.findIndex(({ code }) => code === this.value);
    return Math.max(0, chosen);
  }

  /** Until something is chosen the whole group has the focus: a ring around one option would suggest it. */
  focus(options) {
    const chosen = this.options.some(({ code }) => code === this.value);
    (chosen ? this.options[this.stop].button : this.group).focus(options);
  }

  key(event) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.code];
    const here = this.options.findIndex(({ button }) => button === document.activeElement);
    if (event.code === "Space" && here >= 0) this.pick(here, event);
    else if (step) {
      const from = here < 0 && step < 0 ? 0 : here;
      this.pick((from + step + this.options.length) % this.options.length, event);
      this.focus();
    } else return false;
    return true;
  }

  paint() {
    super.paint();
    this.group?.setAttribute("aria-disabled", String(!this.applicable));
    this.options?.forEach(({ code, button }, index) => {
      button.setAttribute("aria-checked", String(code === this.value));
      button.tabIndex = index === this.stop && this.applicable ? 0 : -1;
      button.disabled = !this.applicable;
    });
  }
}

/** A 0-100 visual analogue line without a thumb until it is touched. */
class Line extends Scale {
  constructor(spec, view) {
    super(spec, view);
    this.thumb = node("i", { class: "fn-thumb" });
    this.track = node("div", {
      role: "slider", "aria-labelledby": this.heading.id, "aria-valuemin": 0, "aria-valuemax": 100, class: "fn-track",
    }, node("i", { class: "fn-rail" }), this.thumb);
    if (spec.polarity === "bipolar") this.track.classList.add("fn-bipolar");
    this.root.append(this.track, anchors(spec.anchors));
    this.track.addEventListener("pointerdown", (event) => this.grab(event));
    this.track.addEventListener("pointermove", (event) => this.drag(event));
    this.track.addEventListener("pointerup", () => (this.before = null));
    this.track.addEventListener("pointercancel", () => this.undo());
    this.paint();
  }

  grab(event) {
    if (event.button !== 0 || !this.applicable) return;
    const { value, first, changes, gesture } = this;
    this.before = { value, first, changes, gesture };
    this.grip = Symbol("drag");
    this.track.setPointerCapture(event.pointerId);
    this.at(event);
  }

  drag(event) {
    if (this.before) this.at(event);
  }

  /** The browser took the gesture for scrolling: it was no answer. */
  undo() {
    if (this.before) Object.assign(this, this.before);
    this.before = null;
    this.view.refresh();
  }

  at(event) {
    const box = this.track.getBoundingClientRect();
    const inset = parseFloat(getComputedStyle(this.track).paddingLeft);
    const share = (event.clientX - box.left - inset) / (box.width - 2 * inset);
    this.set(Math.round(100 * Math.min(1, Math.max(0, share))), event, this.grip);
  }

  focus(options) {
    this.track.focus(options);
  }

  key(event) {
    const from = this.value ?? 50; // the first arrow starts from the middle and leaves it
    const to = {
      ArrowRight: from + 1, ArrowUp: from + 1, ArrowLeft: from - 1, ArrowDown: from - 1,
      PageUp: from + 10, PageDown: from - 10, Home: 0, End: 100,
    }[event.code];
    if (to === undefined) return false;
    const jump = event.repeat ? 2 * (to - from) : 0;
    this.set(Math.min(100, Math.max(0, to + jump)), event, this.view.visit);
    return true;
  }

  paint() {
    super.paint();
    if (!this.track) return;
    const { words } = this.view;
    const { low, high } = this.spec.anchors;
    const set = this.value !== null;
    this.track.tabIndex = this.applicable ? 0 : -1;
    this.track.setAttribute("aria-disabled", String(!this.applicable));
    this.track.setAttribute("aria-valuenow", this.value ?? 50);
    const said = set ? fill(words["trial.value"], { value: this.value, low, high }) : words["trial.untouched"];
    this.track.setAttribute("aria-valuetext", this.applicable ? said : words["trial.not_applicable"]);
    this.track.classList.toggle("fn-set", set);
    this.thumb.style.setProperty("--at", (this.value ?? 50) / 100);
  }
}

function anchors({ low, middle, high }) {
  const ends = [low, middle ?? "", high].map((text) => node("span", {}, text));
  return node("div", { class: "fn-anchors", "aria-hidden": "true" }, ...ends);
}

/** How the browser presented the trial that is on screen. */
class Watch {
  constructor() {
    this.reset();
    this.gone = false;
    // Leaving a tab both hides and blurs it: that is one absence.
    this.leave = () => {
      if (!this.gone) this.blurs += 1;
      this.gone = true;
    };
    this.come = () => (this.gone = false);
    this.turn = () => (document.visibilityState === "hidden" ? this.leave() : this.come());
    document.addEventListener("visibilitychange", this.turn);
    window.addEventListener("blur", this.leave);
    window.addEventListener("focus", this.come);
  }

  reset() {
    Object.assign(this, { blurs: 0, device: null, ok: true, decode: null });
  }

  evidence() {
    return {
      onset_ok: this.ok,
      decode_ms: this.decode,
      blur_count: this.blurs,
      input_device: this.device,
      viewport: `${innerWidth}x${innerHeight}@${devicePixelRatio}`,
    };
  }

  destroy() {
    document.removeEventListener("visibilitychange", this.turn);
    window.removeEventListener("blur", this.leave);
    window.removeEventListener("focus", this.come);
  }
}

/** The session on screen. */
class View {
  constructor(root, component) {
    const { data } = component;
    Object.assign(this, { component, data, words: data.words, trials: data.trials });
    this.root = root.querySelector(".fn-trial");
    this.find = (name) => this.root.querySelector(`.fn-${name}`);
    this.store = new Store(data.session);
    this.outbox = new Outbox(this.store, data, () => this.status());
    this.lease = new Lease(this.store, () => this.elsewhere());
    this.pictures = new Pictures(this.trials, () => this.status());
    this.watch = new Watch();
    this.history = new Map(); // trial_id -> the newest answer given since the page was loaded
    this.done = new Set([...data.answered, ...this.outbox.items.map((answer) => answer.trial_id)]);
    this.turn = 0;
    this.noticed = null;
    this.visit = Symbol("visit");
    this.build();
    this.listen();
    if (this.lease.free(true)) this.start();
    else this.elsewhere();
  }

  build() {
    const { words, data } = this;
    dress(this.root, data.display, data.lang);
    this.scales = data.scales.map((spec) => new (spec.kind === "vas" ? Line : Choice)(spec, this));
    this.find("scales").replaceChildren(...this.scales.map((scale) => scale.root));
    this.find("next").textContent = words["trial.next"];
    this.find("back").textContent = words["trial.back"];
    this.find("next").addEventListener("click", (event) => this.next(event));
    this.find("back").addEventListener("click", () => this.back());
    this.find("notice").querySelector("button").addEventListener("click", () => this.action());
    this.slots = this.trials[0].stimuli.map(({ role }) => slot(words, role, this.trials[0].stimuli.length));
    this.find("faces").replaceChildren(...this.slots.map(({ figure }) => figure));
    this.root.style.setProperty("--count", this.slots.length);
  }

  listen() {
    this.onKey = (event) => this.keydown(event);
    this.onFocus = (event) => {
      this.visit = Symbol("visit");
      this.focused = event.target;
    };
    this.onLeave = () => this.lease.release();
    // A page restored from the back-forward cache shows what the server knew long ago.
    this.onReturn = (event) => event.persisted && location.reload();
    window.addEventListener("keydown", this.onKey, true);
    this.root.addEventListener("focusin", this.onFocus);
    window.addEventListener("pagehide", this.onLeave);
    window.addEventListener("pageshow", this.onReturn);
    this.timer = setInterval(() => this.tick(), 1000);
    this.guard = new MutationObserver(() => this.dismiss());
    this.guard.observe(document.body, { attributes: true, attributeFilter: ["inert"], subtree: true });
  }

  /** Streamlit's dialog about the connection makes the page inert; this element says it in words. */
  dismiss() {
    const inert = this.root.parentElement.closest("[inert]");
    if (!inert) return;
    document.querySelector('[data-testid="stDialog"] button')?.click();
    inert.inert = false;
    if (this.lease.held) this.focused?.focus({ preventScroll: true });
  }

  start() {
    this.lease.take();
    this.outbox.send();
    this.advance();
  }

  /** Go to the first trial without an answer. */
  advance() {
    const position = this.trials.findIndex((trial) => !this.done.has(trial.id));
    if (position < 0) this.finish();
    else this.show(position);
  }

  async show(position) {
    const turn = ++this.turn;
    this.position = position;
    this.accepting = false;
    this.pictures.ahead(position);
    const entry = this.pictures.get(position);
    if (!entry.ready) this.blank();
    const faces = await entry.faces;
    if (turn !== this.turn) return;
    const swapped = await frame();
    this.watch.reset();
    this.paint(faces);
    const onset = await frame();
    if (turn !== this.turn) return;
    this.watch.ok = faces.every(({ ok }) => ok) && !this.watch.blurs && onset - swapped < LATE_MS;
    this.watch.decode = faces.some(({ ms }) => ms === null) ? null : Math.max(...faces.map(({ ms }) => ms));
    this.onset = onset;
    this.accepting = true;
    performance.mark("facenorm:face", { startTime: onset });
    this.status();
  }

  blank() {
    for (const { box } of this.slots) box.replaceChildren();
    this.reset();
    this.status();
  }

  paint(faces) {
    faces.forEach(({ image }, index) => {
      image.alt = this.slots[index].alt;
      this.slots[index].box.replaceChildren(image);
    });
    this.reset();
    this.notice(null);
    this.root.scrollTop = 0;
    this.scales[0].focus({ preventScroll: true });
  }

  reset() {
    const earlier = this.history.get(this.trials[this.position].id);
    this.scales.forEach((scale, index) => {
      scale.clear();
      if (earlier) scale.restore(earlier.responses[index]);
      scale.paint();
      scale.mark(false);
    });
    this.find("missing").textContent = "";
    const total = this.trials.length;
    this.find("progress").textContent = fill(this.words["trial.progress"], { n: this.position + 1, total });
    this.find("bar").firstElementChild.style.transform = `scaleX(${this.position / total})`;
    this.find("back").hidden = this.previous() < 0;
  }

  /** Position of the trial before this one that may still be revised, or -1. */
  previous() {
    const before = this.trials[this.position - 1];
    const open = this.data.back && before && before.block === this.trials[this.position].block;
    return open && this.history.has(before.id) ? this.position - 1 : -1;
  }

  touched(scale, event, changed) {
    this.watch.device = event.pointerType || (event.detail ? "mouse" : "keyboard");
    for (const other of this.scales) {
      if (!changed || other.spec.after !== scale.spec.id) continue;
      other.suit(!other.spec.not_after.includes(scale.value));
      // An intensity was said of the emotion chosen before; of this one nothing is known yet.
      other.value = null;
    }
    this.refresh();
  }

  refresh() {
    for (const scale of this.scales) scale.paint();
    if (!this.scales.some((scale) => scale.open)) this.find("missing").textContent = "";
  }

  next(event) {
    if (!this.accepting) return;
    const open = this.scales.filter((scale) => scale.open);
    if (open.length) {
      this.say(open, event);
      return;
    }
    performance.mark("facenorm:next", { startTime: event.timeStamp });
    this.accepting = false;
    const { id } = this.trials[this.position];
    const answer = {
      trial_id: id,
      revision: (this.history.get(id)?.revision ?? 0) + 1,
      evidence: this.watch.evidence(),
      responses: this.scales.map((scale) => scale.response(event.timeStamp)),
    };
    this.outbox.add(answer);
    this.history.set(id, answer);
    this.done.add(id);
    this.advance();
    this.outbox.send();
  }

  say(open, event) {
    // The second click of a double click on Next is no attempt to skip a face.
    const untouched = open.length === this.scales.length;
    if (untouched && event.timeStamp - this.onset < 400) return;
    for (const scale of this.scales) scale.mark(open.includes(scale));
    const names = open.map((scale) => scale.spec.question).join(" · ");
    const words = this.words[open.length > 2 ? "trial.missing.many" : "trial.missing"];
    this.find("missing").textContent = fill(words, { n: open.length, scales: names });
    open[0].focus();
  }

  back() {
    const position = this.previous();
    if (this.accepting && position >= 0) this.show(position);
  }

  keydown(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.code === "Tab") return;
    event.stopPropagation(); // Streamlit reruns on r and clears its cache on c
    if (!this.accepting || !this.find("notice").hidden) return;
    const current = this.scales.find((scale) => scale.root.contains(document.activeElement));
    if (this.handle(event, current)) event.preventDefault();
  }

  handle(event, current) {
    const digit = /^(?:Digit|Numpad)([0-9])$/.exec(event.code);
    if (event.code === "Enter" || event.code === "NumpadEnter") return this.enter(event, current);
    if (event.repeat && !(current instanceof Line)) return Boolean(digit || current);
    if (digit && !event.shiftKey) return this.digit((Number(digit[1]) + 9) % 10, event, current);
    return current ? current.key(event) : false;
  }

  enter(event, current) {
    const { activeElement } = document;
    if (activeElement === this.find("back")) return false;
    if (event.repeat) return true;
    const following = this.scales.slice(this.scales.indexOf(current) + 1).find((scale) => scale.open);
    if (current && !current.open && following) following.focus();
    else this.next(event);
    return true;
  }

  digit(index, event, current) {
    const choices = this.scales.filter((scale) => scale instanceof Choice && scale.applicable);
    const target = choices.includes(current) ? current : choices.find((scale) => scale.open) ?? choices[0];
    if (!target || index >= target.options.length) return false;
    target.pick(index, event);
    const following = this.scales.slice(this.scales.indexOf(target) + 1).find((scale) => scale.open);
    (following ?? target).focus();
    return true;
  }

  tick() {
    this.status();
    if (!this.lease.held) {
      if (document.visibilityState === "visible" && this.lease.free(false)) this.renew();
    } else if (this.finishing && !this.outbox.items.length) this.tell();
  }

  /** Ask for the next page; triggers sent while disconnected are dropped, hence the repetition. */
  tell() {
    if (++this.waited % 4 === 1) this.component.setTriggerValue("done", this.waited);
  }

  finish() {
    this.turn += 1;
    this.accepting = false;
    this.finishing = true;
    this.waited = 0;
    const lacking = this.outbox.lacking();
    if (lacking.length && !this.outbox.items.length) this.repeat(lacking);
    else {
      this.notice("finishing");
      this.status();
    }
  }

  /** Some answers were refused: the participant may give them again. */
  repeat(lacking) {
    this.finishing = false;
    this.notice("repeat", { n: lacking.length, reason: this.outbox.aside[0].reason }, () => {
      for (const id of lacking) this.done.delete(id);
      for (const id of lacking) this.history.delete(id);
      this.advance();
    });
  }

  elsewhere() {
    this.turn += 1;
    this.accepting = false;
    this.outbox.destroy();
    this.notice("elsewhere", {}, () => this.renew());
  }

  /** Start again from what the server knows now, as the tab that holds the lease. */
  renew() {
    this.lease.take("next");
    location.reload();
  }

  status() {
    const { items, failures, stopped, aside } = this.outbox;
    if (stopped) {
      this.turn += 1;
      this.accepting = false;
      this.notice("stopped", { n: items.length, reason: stopped }, () => location.reload());
    } else if (this.finishing && !items.length) {
      if (this.outbox.lacking().length) this.finish();
      else if (!this.waited) this.tell();
    }
    const entry = this.pictures?.held.get(this.position);
    if (entry?.failed && !entry.ready && !this.finishing && this.lease.held) this.picture();
    const line = this.find("status");
    const text = this.line(this.outbox);
    if (line.textContent !== text) line.textContent = text;
    line.classList.toggle("fn-warn", Boolean(failures || aside.length || !this.store.durable));
  }

  /** What is true of the answers; it changes once per face, for whatever moves draws the eye from it. */
  line({ items, failures, slow, saved, aside }) {
    const { words } = this;
    const parts = [];
    if (aside.length) parts.push(fill(words["trial.rejected"], { n: aside.length, reason: aside[0].reason }));
    if (items.length && failures) parts.push(fill(words["trial.waiting"], { n: items.length }));
    else if (items.length && slow) parts.push(words["trial.saving"]);
    else if (saved.size && !aside.length) parts.push(fill(words["trial.saved"], { n: saved.size }));
    if (items.length && failures && !this.store.durable) parts.push(words["trial.memory"]);
    return parts.join(" ");
  }

  picture() {
    this.notice("picture", {}, () => this.pictures.retry());
  }

  /** Cover the trial with words and, where there is an action, a button; null uncovers it. */
  notice(name, values = {}, action = null) {
    if (name === this.noticed) return;
    this.noticed = name;
    const box = this.find("notice");
    box.hidden = name === null;
    for (const part of [this.find("stage"), this.find("panel")]) part.inert = name !== null;
    this.action = action;
    if (name === null) return;
    const [title, text, button] = box.children;
    const said = { contact: this.data.contact, ...values };
    title.textContent = fill(this.words[`trial.${name}.title`], said);
    text.textContent = fill(this.words[`trial.${name}.text`], said);
    button.hidden = action === null;
    if (action) button.textContent = this.words[`trial.${name}.button`];
    (action ? button : box).focus();
  }

  update(component) {
    this.component = component;
    const { answered } = component.data;
    for (const id of answered) this.done.add(id);
    // The server lacks an answer that it once acknowledged, for instance after a restored backup.
    if (this.finishing && !this.outbox.items.length && answered.length < this.trials.length) location.reload();
  }

  destroy() {
    this.turn += 1;
    clearInterval(this.timer);
    this.guard.disconnect();
    window.removeEventListener("keydown", this.onKey, true);
    window.removeEventListener("pagehide", this.onLeave);
    window.removeEventListener("pageshow", this.onReturn);
    for (const part of [this.outbox, this.lease, this.pictures, this.watch]) part.destroy();
    document.documentElement.classList.remove("fn-rating");
  }
}

function slot(words, role, count) {
  const box = node("div", { class: "fn-face" });
  const alt = words[`trial.role.${role}`];
  const figure = node("figure", {}, box);
  if (count > 1) figure.append(node("figcaption", {}, alt));
  return { figure, box, alt };
}

/** The surround is the study's; the ink is black or white, whichever stands out more from it. */
function dress(root, { surround, size_px }, lang) {
  const [red, green, blue] = [1, 3, 5].map((at) => (parseInt(surround.slice(at, at + 2), 16) / 255) ** 2.2);
  const light = 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179;
  root.lang = lang;
  root.classList.toggle("fn-dark", !light);
  root.style.setProperty("--size", `${size_px}px`);
  document.documentElement.style.setProperty("--fn-surround", surround);
  document.documentElement.classList.add("fn-rating");
}

const views = new WeakMap();

export default function (component) {
  const { parentElement: root } = component;
  let held = views.get(root);
  if (held) held.view.update(component);
  else views.set(root, (held = { view: new View(root, component), calls: 0 }));
  const call = ++held.calls;
  return () => {
    // Streamlit may clean up an earlier call while a later one lives: only the last one counts.
    if (call !== held.calls) return;
    held.view.destroy();
    views.delete(root);
  };
}
