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
