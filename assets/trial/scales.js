const CANNOT = Symbol("cannot tell"); // the value of a scale whose participant cannot tell

/** What all scales share: one answer with its times, and no answer to begin with. */
class Scale {
  constructor(spec, view, root = node("section", { class: `fn-scale fn-${spec.kind}` })) {
    // Of an emotion that could not be told nothing further can be told.
    Object.assign(this, { spec: { ...spec, not_after: [...spec.not_after, CANNOT] }, view, root });
    this.heading = node("h2", { id: `fn-q-${spec.id}` }, spec.question);
    this.remark = node("span", { class: "fn-remark" });
    this.root.append(node("div", { class: "fn-ask" }, this.heading, this.remark));
    this.described = [];
    if (spec.instruction) this.describe(node("p", { class: "fn-instruction" }, spec.instruction));
    this.clear();
  }

  /** Add a node that a screen reader reads out as a description of the widget. */
  describe(part) {
    part.id = `fn-d${this.described.length}-${this.spec.id}`;
    this.described.push(part.id);
    this.root.append(part);
  }

  /** Give the element that is the widget its name and its description. */
  name(element) {
    element.setAttribute("aria-labelledby", this.heading.id);
    if (this.described.length) element.setAttribute("aria-describedby", this.described.join(" "));
  }

  /** Add the button for those who cannot tell, where the study has one; it answers all these scales. */
  offer(all = [this]) {
    const text = all.map(({ spec }) => spec.cannot_tell).find(Boolean);
    if (!text) return;
    this.waiver = node("button", { type: "button", class: "fn-cannot", "aria-pressed": "false" }, text);
    const waive = (event) => {
      const gesture = Symbol("waiver");
      for (const scale of all) scale.set(CANNOT, event, gesture);
    };
    for (const scale of all) scale.waive = waive;
    this.waiver.addEventListener("click", waive);
    this.root.append(this.waiver);
  }

  clear() {
    Object.assign(this, { value: null, first: null, changes: 0, gesture: null, applicable: true });
  }

  get open() {
    return this.applicable && this.value === null;
  }

  /** The value or label that was given, if any. */
  get given() {
    return this.value === CANNOT ? null : this.value;
  }

  get status() {
    if (!this.applicable) return "not_applicable";
    return this.value === CANNOT ? "cannot_tell" : "answered";
  }

  /** A gesture is one drag, one press of a button or one visit by keyboard. */
  set(value, event, gesture) {
    if (!this.applicable || !this.view.takes(event)) return;
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
      status: this.status,
      value: chosen ? null : this.given,
      label: chosen ? this.given : null,
      rt_first_ms: this.applicable ? this.first : null,
      rt_submit_ms: submitted - this.view.onset,
      n_changes: this.changes,
    };
  }

  restore({ status, value, label }) {
    this.applicable = status !== "not_applicable";
    this.value = status === "cannot_tell" ? CANNOT : label ?? value;
  }

  /** Does a held key go on moving this scale? */
  get repeats() {
    return false;
  }

  /** May this digit be meant for this scale? 0 says "cannot tell". */
  hears(digit) {
    return digit === 0 && Boolean(this.waive);
  }

  /** Take a digit; false where it means nothing here. */
  digit(digit, event) {
    if (digit !== 0 || !this.waive) return false;
    this.waive(event);
    return true;
  }

  /** Take a key; false where it means nothing here. */
  key(event) {
    const enter = event.code === "Enter" || event.code === "NumpadEnter";
    if (!enter || document.activeElement !== this.waiver || this.value === CANNOT) return false;
    this.waive(event);
    return true;
  }

  mark(missing) {
    this.root.classList.toggle("fn-open", missing);
  }

  paint() {
    this.root.classList.toggle("fn-off", !this.applicable);
    this.remark.textContent = this.applicable ? "" : this.view.words["trial.not_applicable"];
    if (!this.open) this.mark(false);
    if (!this.waiver) return;
    this.waiver.setAttribute("aria-pressed", String(this.value === CANNOT));
    this.waiver.disabled = !this.applicable;
  }

  /** What a slider says instead of a number; undefined where it has one. */
  get wordless() {
    const { words } = this.view;
    if (!this.applicable) return words["trial.not_applicable"];
    if (this.value === null) return words["trial.untouched"];
    return this.value === CANNOT ? this.spec.cannot_tell : undefined;
  }
}

/** A forced choice or a Likert scale: a radio group with one stop for the Tab key. */
class Choice extends Scale {
  constructor(spec, view) {
    super(spec, view);
    this.group = node("div", { role: "radiogroup", tabindex: "-1", class: "fn-options" });
    this.group.style.setProperty("--points", spec.options.length);
    this.options = spec.options.map(({ code, text }, index) => {
      const button = node("button", { type: "button", role: "radio" });
      this.label(button, text, index);
      button.addEventListener("click", (event) => this.pick(index, event));
      return { code, button };
    });
    this.group.append(...this.options.map(({ button }) => button));
    this.root.append(this.group);
    if (spec.anchors) this.describe(anchors(spec.anchors, ...zero(spec, (spec.zero - 0.5) / spec.points)));
    this.name(this.group);
    this.offer();
    this.paint();
  }

  /** What an option shows and how it is called. */
  label(button, text, index) {
    button.append(node("span", {}, text));
    const words = this.anchor(index);
    if (words) button.setAttribute("aria-label", `${text}, ${words}`);
    if (this.spec.kind !== "choice" || index > 9) return;
    button.prepend(node("kbd", { "aria-hidden": "true" }, String((index + 1) % 10)));
  }

  /** The anchor's words at a point of a Likert scale, if it has any. */
  anchor(index) {
    const { anchors: words, options } = this.spec;
    const last = options.length - 1;
    return words && { 0: words.low, [last / 2]: words.middle, [last]: words.high }[index];
  }

  pick(index, event) {
    this.set(this.options[index].code, event, Symbol(index));
  }

  get chosen() {
    return this.options.findIndex(({ code }) => code === this.value);
  }

  get stop() {
    return Math.max(0, this.chosen);
  }

  /** Until something is chosen the whole group has the focus: a ring around one option would suggest it. */
  focus(options) {
    (this.chosen < 0 ? this.group : this.options[this.chosen].button).focus(options);
  }

  hears(digit) {
    return digit > 0 || this.options.length > 9 || super.hears(digit);
  }

  digit(digit, event) {
    const index = (digit + 9) % 10;
    if (index >= this.options.length) return super.digit(digit, event);
    this.pick(index, event);
    return true;
  }

  key(event) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.code];
    const here = this.options.findIndex(({ button }) => button === document.activeElement);
    if (event.code === "Space" && here >= 0) this.pick(here, event);
    else if (step) {
      const from = here < 0 && step < 0 ? 0 : here;
      this.pick((from + step + this.options.length) % this.options.length, event);
      this.focus();
    } else return super.key(event);
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
    const range = { "aria-valuemin": 0, "aria-valuemax": 100 };
    const rail = node("i", { class: "fn-rail" }, ...zero(spec, spec.zero / 100));
    this.track = node("div", { role: "slider", ...range, class: "fn-track" }, rail, this.thumb);
    this.root.append(this.track);
    this.describe(anchors(spec.anchors));
    this.name(this.track);
    this.offer();
    follow(this.track, [this], (event, grip) => this.at(event, grip));
    this.paint();
  }

  at(event, grip) {
    const box = this.track.getBoundingClientRect();
    const inset = parseFloat(getComputedStyle(this.track).paddingLeft);
    const share = (event.clientX - box.left - inset) / (box.width - 2 * inset);
    this.set(Math.round(100 * Math.min(1, Math.max(0, share))), event, grip);
  }

  focus(options) {
    this.track.focus(options);
  }

  get repeats() {
    return true;
  }

  key(event) {
    const from = this.given ?? 50; // the first arrow starts from the middle and leaves it
    const to = {
      ArrowRight: from + 1, ArrowUp: from + 1, ArrowLeft: from - 1, ArrowDown: from - 1,
      PageUp: from + 10, PageDown: from - 10, Home: 0, End: 100,
    }[event.code];
    if (to === undefined) return super.key(event);
    const jump = event.repeat ? 2 * (to - from) : 0;
    if (document.activeElement === this.waiver) this.focus();
    this.set(Math.min(100, Math.max(0, to + jump)), event, this.view.visit);
    return true;
  }

  paint() {
    super.paint();
    if (!this.track) return;
    const { low, high } = this.spec.anchors;
    const value = this.given ?? 50;
    this.track.tabIndex = this.applicable ? 0 : -1;
    this.track.setAttribute("aria-disabled", String(!this.applicable));
    this.track.setAttribute("aria-valuenow", value);
    const said = this.wordless ?? fill(this.view.words["trial.value"], { value, low, high });
    this.track.setAttribute("aria-valuetext", said);
    this.track.classList.toggle("fn-set", this.given !== null);
    this.thumb.style.setProperty("--at", value / 100);
  }
}

/** Let an element's scales follow the pointer that was pressed on it, also when it leaves the element. */
function follow(element, scales, at) {
  let before = null;
  let grip = null;
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !event.isPrimary || !scales[0].applicable) return;
    before = scales.map(({ value, first, changes, gesture }) => ({ value, first, changes, gesture }));
    grip = Symbol("drag");
    element.setPointerCapture(event.pointerId);
    at(event, grip);
  });
  element.addEventListener("pointermove", (event) => before && event.isPrimary && at(event, grip));
  element.addEventListener("pointerup", (event) => event.isPrimary && (before = null));
  // The browser took the gesture for scrolling: it was no answer.
  element.addEventListener("pointercancel", (event) => {
    if (!before || !event.isPrimary) return;
    scales.forEach((scale, index) => Object.assign(scale, before[index]));
    before = null;
    scales[0].view.refresh();
  });
}

/** The words below a scale. */
function anchors({ low, middle, high }, ...more) {
  const ends = (middle ? [low, middle, high] : [low, high]).map((text) => node("span", {}, text));
  return node("div", { class: "fn-anchors", "aria-hidden": "true" }, ...more, ...ends);
}

/** A tick where a bipolar scale means neither, at a share of its width; a unipolar scale has none. */
function zero({ polarity }, at) {
  return polarity === "bipolar" ? [node("i", { class: "fn-zero", style: `--at: ${at}` })] : [];
}
