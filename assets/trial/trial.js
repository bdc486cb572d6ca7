/** The trials of a session on screen. */
class View extends Sitting {
  constructor(root, component) {
    super(root, component);
    const { data } = this;
    this.history = new Map(); // trial_id -> the newest answer given since the page was loaded
    this.last = undefined; // the block of the trial before, on this page
    this.visit = Symbol("visit");
    this.pictures = new Pictures(this.trials, () => this.status());
    this.watch = new Watch(this.store);
    this.stage = new Stage(this.root, data);
    this.asking = new Asking(this, this.find);
    this.parts = new Parts(data);
    const { exposure } = data.display;
    if (exposure) this.exposure = new Exposure(this.stage, this.watch, exposure);
    dress(this.root, data.display, data.lang);
    this.listen(this.ending.signal);
    if (this.lease.free(true)) this.start();
    else this.elsewhere();
  }

  listen(signal) {
    const presses = { next: (event) => this.next(event), back: () => this.back(), stop: () => this.leave() };
    for (const [name, press] of Object.entries(presses)) {
      this.find(name).textContent = this.words[`trial.${name}`];
      this.find(name).addEventListener("click", press, { signal });
    }
    window.addEventListener("keydown", (event) => this.keydown(event), { capture: true, signal });
    this.root.addEventListener("scroll", () => (this.scrolled = true), { signal });
    this.root.addEventListener("focusin", (event) => this.focus(event), { signal });
    const note = ({ pointerType }) => (this.pointer = pointerType);
    this.root.addEventListener("pointerdown", note, { capture: true, signal });
    window.addEventListener("pagehide", () => this.lease.release(), { signal });
    // A page restored from the back-forward cache shows what the server knew long ago.
    window.addEventListener("pageshow", (event) => event.persisted && location.reload(), { signal });
  }

  focus({ target }) {
    this.visit = Symbol("visit");
    this.focused = target;
  }

  start() {
    this.lease.take();
    this.outbox.send();
    this.advance();
  }

  /** Go to the first trial without an answer, with what is to be told before it. */
  advance() {
    const position = this.trials.findIndex((trial) => !this.done.has(trial.id));
    if (position < 0) return this.finish();
    const said = position !== this.rested && this.parts.pause(position, this.last, this.done);
    return said ? this.pause(position, said) : this.show(position);
  }

  pause(position, said) {
    this.halt();
    this.pictures.ahead(position);
    this.cover.show(said, {
      label: this.words["trial.continue"],
      action: () => {
        this.rested = position; // going back over a break does not bring it again
        this.show(position);
      },
      second: this.stop,
    });
    this.status();
  }

  async show(position) {
    const turn = ++this.turn;
    const going = () => turn === this.turn;
    const trial = this.trials[position];
    this.position = position;
    this.last = trial.block;
    this.accepting = false;
    const entry = this.pictures.get(position);
    if (!entry.ready) this.blank(trial);
    const faces = await entry.faces;
    if (!going()) return;
    const timed = this.parts.timed(trial);
    const onset = await (timed ? this.flash(trial, faces, going) : this.swap(trial, faces, going));
    if (!going()) return;
    this.onset = onset;
    this.accepting = true;
    performance.mark("facenorm:face", { startTime: onset });
    this.asking.focus();
    this.watch.sample();
    setTimeout(() => going() && this.settle(), AFTER_MS);
  }

  /** Do what can wait until the face is on the screen. */
  settle() {
    this.pictures.ahead(this.position);
    this.status();
  }

  /** The picture is still on its way. */
  blank(trial) {
    this.lay(trial);
    if (this.parts.timed(trial)) this.wait(true);
    else this.asking.begin(this.history.get(trial.id));
    this.status();
  }

  /** The page changes at once, so that the work is done when the frame begins that shows it. */
  async swap(trial, faces, going) {
    this.watch.reset();
    this.lay(trial);
    this.stage.show(faces);
    this.ask(trial);
    const swapped = await frame();
    if (!going()) return null;
    this.watch.swap(faces, swapped);
    const onset = await frame();
    this.watch.presented(onset);
    return onset;
  }

  /** Show a face for its time, once: neither Back nor a reload shows it again. */
  async flash(trial, faces, going) {
    const seen = this.store.read("seen", []);
    this.watch.reset();
    this.lay(trial);
    let onset;
    if (seen.includes(trial.id)) {
      this.watch.ok = false;
      onset = await frame();
    } else {
      this.wait(true);
      onset = await this.exposure.run(faces, going, () => this.store.write("seen", [...seen, trial.id]));
    }
    if (going()) this.ask(trial);
    return onset;
  }

  /** Make places for the trial and say how far the participant is. */
  lay(trial) {
    this.stage.arrange(trial);
    this.stage.clear();
    this.asking.arrange(trial);
    const { text, share } = this.parts.progress(this.position);
    this.find("progress").textContent = text;
    this.find("bar").firstElementChild.style.transform = `scaleX(${share})`;
    this.unreveal();
    this.cover.hide();
  }

  ask(trial) {
    this.wait(false);
    this.asking.begin(this.history.get(trial.id));
    this.begin();
    if (this.scrolled) this.root.scrollTop = 0; // setting it lays the page out, which the frame does again
    this.scrolled = false;
  }

  /** The questions keep their place while they wait for a timed face. */
  wait(waiting) {
    this.find("panel").classList.toggle("fn-wait", waiting);
  }

  /** A step of the questions begins. */
  begin() {
    this.ready = performance.now();
    this.find("back").hidden = this.asking.beyond(-1) < 0 && this.previous() < 0;
  }

  /** Position of the trial before this one that may still be revised, or -1. */
  previous() {
    const before = this.trials[this.position - 1];
    const open = this.data.back && before && before.block === this.trials[this.position].block;
    return open && this.history.has(before.id) ? this.position - 1 : -1;
  }

  touched(scale, event, changed) {
    // A click has no pointerType before Safari 18.2 and Firefox 129; of a key press its detail is 0.
    this.watch.device = event.pointerType || (event.detail ? this.pointer || "mouse" : "keyboard");
    this.asking.touched(scale, changed);
    this.refresh();
  }

  refresh() {
    this.asking.refresh();
  }

  /** A press before the face was on screen was not made on seeing it. */
  takes(event) {
    return this.accepting && event.timeStamp >= this.onset;
  }

  next(event) {
    if (this.revealed) return this.goOn(event);
    if (!this.takes(event)) return undefined;
    if (this.asking.open.length) return this.asking.say(event);
    return this.step(1) || this.submit(event);
  }

  /** Go to another step of this trial's questions; false where there is none. */
  step(direction) {
    const step = this.asking.beyond(direction);
    if (step < 0) return false;
    this.asking.go(step);
    this.begin();
    return true;
  }

  submit(event) {
    performance.mark("facenorm:next", { startTime: event.timeStamp });
    this.accepting = false;
    const trial = this.trials[this.position];
    const answer = {
      trial_id: trial.id,
      revision: this.outbox.revision(trial.id),
      evidence: this.watch.evidence(this.data.app),
      responses: this.asking.responses(event.timeStamp),
    };
    this.outbox.add(answer);
    this.history.set(trial.id, answer);
    this.done.add(trial.id);
    if (trial.practice && trial.expected && this.data.practice.feedback) this.reveal(trial, answer);
    else this.advance();
    this.outbox.soon();
  }

  /** Say which emotion a face of the practice is meant to show. */
  reveal({ expected }, { responses }) {
    const { options } = this.data.scales[expected.scale_id];
    const named = (label) => options.find(({ code }) => code === label)?.text;
    const { label } = responses.find(({ scale_id }) => scale_id === expected.scale_id);
    const key = label === expected.label ? "match" : label ? "other" : "none";
    const values = { expected: named(expected.label), chosen: named(label) };
    this.revealed = performance.now();
    this.find("scales").hidden = this.find("back").hidden = true;
    this.find("told").textContent = fill(this.words[`trial.told.${key}`], values);
    this.find("next").textContent = this.words["trial.continue"];
    this.find("next").focus({ preventScroll: true });
    this.root.scrollTop = 0;
  }

  unreveal() {
    this.revealed = null;
    this.find("scales").hidden = false;
    this.find("told").textContent = "";
    this.find("next").textContent = this.words["trial.next"];
  }

  goOn(event) {
    if (event.timeStamp - this.revealed < EARLY_MS) return; // the second click of a double click on Next
    this.revealed = null;
    this.advance();
  }

  back() {
    if (!this.accepting || this.step(-1)) return;
    const position = this.previous();
    if (position >= 0) this.show(position);
  }

  keydown(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.code === "Tab") return;
    event.stopPropagation(); // Streamlit reruns on r and clears its cache on c
    if (this.answers(event)) event.preventDefault();
  }

  answers(event) {
    const enter = event.code === "Enter" || event.code === "NumpadEnter";
    if (!this.cover.hidden) return enter && this.cover.enter(event);
    if (this.revealed) return enter && event.repeat; // the button has the focus
    return this.accepting && this.asking.handle(event);
  }

  /** Who meant to stop goes on with the trial that was on screen. */
  stay() {
    this.watch.away();
    this.cover.hide();
    this.accepting = true;
    this.asking.focus();
  }

  picture() {
    const entry = this.pictures?.held.get(this.position);
    const busy = this.finishing || this.leaving || this.outbox.stopped || !this.lease.held;
    if (!entry?.failed || entry.ready || busy) return;
    this.cover.notice("picture", {}, () => this.pictures.retry(), this.stop);
  }

  destroy() {
    super.destroy();
    for (const part of [this.pictures, this.watch]) part.destroy();
  }
}

/** The surround is the study's; the ink is black or white, whichever stands out more from it. */
function dress(root, { surround, size_px, fixed }, lang) {
  const [red, green, blue] = [1, 3, 5].map((at) => (parseInt(surround.slice(at, at + 2), 16) / 255) ** 2.2);
  const light = 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179;
  root.lang = lang;
  root.classList.toggle("fn-dark", !light);
  root.classList.toggle("fn-fixed", fixed);
  root.style.setProperty("--size", `${size_px}px`);
  document.documentElement.style.setProperty("--fn-surround", surround);
  document.documentElement.classList.add("fn-rating");
}

const views = new WeakMap();

export default function (component) {
  const { parentElement: root, data } = component;
  const held = views.get(root) ?? { view: null, calls: 0 };
  views.set(root, held);
  // The practice is followed by other trials in the same place.
  if (held.view?.data.stage === data.stage) held.view.update(component);
  else {
    held.view?.destroy();
    held.view = new View(root, component);
  }
  const call = ++held.calls;
  return () => {
    // Streamlit may clean up an earlier call while a later one lives: only the last one counts.
    if (call !== held.calls) return;
    held.view.destroy();
    views.delete(root);
  };
}
