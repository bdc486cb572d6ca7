/** The questions of the trial on screen: all together, or one step after another. */
class Asking {
  constructor(view, find) {
    Object.assign(this, { view, find, words: view.words, data: view.data });
    this.panels = new Map();
    this.scales = [];
    this.step = 0;
  }

  /** Put the scales of this trial on the page. */
  arrange(trial) {
    const found = this.panel(trial);
    if (found === this.held) return;
    this.held = found;
    this.scales = found.scales;
    this.steps = this.data.layout === "one-by-one" ? found.steps : [found.scales];
    this.find("scales").replaceChildren(...found.roots);
  }

  panel({ id, task, expected }) {
    const check = expected?.instructed;
    const key = check ? id : task;
    if (!this.panels.has(key)) {
      const { scales, affect_grid } = this.data.tasks[task];
      const asked = check ? [this.instruction(expected)] : scales.map((name) => this.data.scales[name]);
      this.panels.set(key, panel({ affect_grid: affect_grid && !check }, asked, this.view));
    }
    return this.panels.get(key);
  }

  /** The scale of a check, whose question is the instruction. */
  instruction({ scale_id, label, low, high }) {
    const spec = this.data.scales[scale_id];
    const { anchors, options, points } = spec;
    const range = { likert: [1, points], vas: [0, 100] }[spec.kind];
    const end = high >= range?.[1] ? "high" : "low";
    let answer = options.find(({ code }) => code === label)?.text;
    let key = "trial.check.choose";
    if (!answer && spec.kind === "likert" && low === high) answer = String(low);
    else if (!answer) [key, answer] = ["trial.check.end", anchors[end]];
    const question = fill(this.words[key], { answer });
    // A picture or a way out would leave open what was meant.
    return { ...spec, question, instruction: null, look: "plain", cannot_tell: null, after: null };
  }

  /** Begin a trial without an answer, or with the one given before. */
  begin(earlier) {
    this.scales.forEach((scale, index) => {
      scale.clear();
      if (earlier) scale.restore(earlier.responses[index]);
      scale.paint();
      scale.mark(false);
    });
    this.step = 0;
    this.turn();
  }

  turn() {
    this.find("missing").textContent = "";
    for (const root of this.held.roots) root.hidden = !this.shown.some((scale) => root.contains(scale.root));
  }

  get shown() {
    return this.steps[this.step];
  }

  /** The nearest step in this direction that asks something, or -1. */
  beyond(direction) {
    for (let step = this.step + direction; this.steps[step]; step += direction) {
      if (this.steps[step].some((scale) => scale.applicable)) return step;
    }
    return -1;
  }

  go(step) {
    this.step = step;
    this.turn();
    this.focus();
  }

  focus() {
    (this.shown.find((scale) => scale.applicable) ?? this.shown[0]).focus({ preventScroll: true });
  }

  /** Another answer on one scale changes what those that hang on it ask. */
  touched(scale, changed) {
    for (const other of this.scales) {
      if (!changed || other.spec.after !== scale.spec.id) continue;
      other.suit(!other.spec.not_after.includes(scale.value));
      // An intensity was said of the emotion chosen before; of this one nothing is known yet.
      other.value = null;
    }
  }

  refresh() {
    for (const scale of this.scales) scale.paint();
    if (!this.open.length) this.find("missing").textContent = "";
  }

  get open() {
    return this.shown.filter((scale) => scale.open);
  }

  say(event) {
    const { open, shown } = this;
    // The second click of a double click on Next is no attempt to skip a face.
    if (open.length === shown.length && event.timeStamp - this.view.ready < EARLY_MS) return;
    for (const scale of shown) scale.mark(open.includes(scale));
    const names = open.map((scale) => scale.spec.question).join(" · ");
    const words = this.words[open.length > 2 ? "trial.missing.many" : "trial.missing"];
    this.find("missing").textContent = fill(words, { n: open.length, scales: names });
    open[0].focus();
  }

  /** Whether a key was meant for the questions. */
  handle(event) {
    const current = this.shown.find((scale) => scale.root.contains(document.activeElement));
    const digit = /^(?:Digit|Numpad)([0-9])$/.exec(event.code);
    const enter = event.code === "Enter" || event.code === "NumpadEnter";
    if (event.repeat && !enter && !current?.repeats) return Boolean(digit || current);
    if (digit && !event.shiftKey) return this.digit(Number(digit[1]), event, current);
    if (event.repeat && enter) return true; // a held Enter must not run through the trials
    return Boolean(current?.key(event)) || (enter && this.enter(event, current));
  }

  enter(event, current) {
    const other = document.activeElement.closest("button");
    if (other && !current && other !== this.find("next")) return false; // Back and Stop are pressed as usual
    const following = this.following(current);
    if (current && !current.open && following) following.focus();
    else this.view.next(event);
    return true;
  }

  following(scale) {
    return this.shown.slice(this.shown.indexOf(scale) + 1).find((other) => other.open);
  }

  digit(digit, event, current) {
    const heard = this.shown.filter((scale) => scale.applicable && scale.hears(digit));
    const target = heard.includes(current) ? current : heard.find((scale) => scale.open) ?? heard[0];
    if (!target?.digit(digit, event)) return false;
    (this.following(target) ?? target).focus();
    return true;
  }

  responses(submitted) {
    return this.scales.map((scale) => scale.response(submitted));
  }
}
