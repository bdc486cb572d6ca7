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
    const widget = (id) => new (data.scales[id].kind === "vas" ? Line : Choice)(data.scales[id], this);
    this.sets = Object.fromEntries(Object.entries(data.tasks).map(([task, { scales }]) => [task, scales.map(widget)]));
    this.find("next").textContent = words["trial.next"];
    this.find("back").textContent = words["trial.back"];
    this.find("next").addEventListener("click", (event) => this.next(event));
    this.find("back").addEventListener("click", () => this.back());
    this.find("notice").querySelector("button").addEventListener("click", () => this.action());
    this.arrange(this.trials[0]);
  }

  /** Put the scales and the places for pictures of this trial on the page. */
  arrange({ task, stimuli }) {
    const roles = stimuli.map(({ role }) => role).join();
    if (this.scales !== this.sets[task]) {
      this.scales = this.sets[task];
      this.find("scales").replaceChildren(...this.scales.map((scale) => scale.root));
    }
    if (this.roles === roles) return;
    this.roles = roles;
    this.slots = stimuli.map(({ role }) => slot(this.words, role, stimuli.length));
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
    if (!entry.ready) this.blank(position);
    const faces = await entry.faces;
    if (turn !== this.turn) return;
    const swapped = await frame();
    this.watch.reset();
    this.arrange(this.trials[position]);
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

  blank(position) {
    this.arrange(this.trials[position]);
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
