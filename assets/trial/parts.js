/** The parts of a session: how far it is, what is told before each part, and where breaks fall. */
class Parts {
  constructor(data) {
    Object.assign(this, { data, words: data.words, trials: data.trials });
    this.main = this.trials.filter(({ practice }) => !practice);
    this.blocks = [...new Set(this.main.map(({ block }) => block))];
  }

  of(block) {
    return this.trials.filter((trial) => trial.block === block);
  }

  /** How far the participant is: in words, and as a share of the bar. The practice is counted apart. */
  progress(position) {
    const trial = this.trials[position];
    const among = trial.practice ? this.of(trial.block) : this.main;
    const values = { n: among.indexOf(trial) + 1, total: among.length };
    values.part = this.blocks.indexOf(trial.block) + 1;
    values.parts = this.blocks.length;
    const key = trial.practice ? "trial.progress.practice" : values.parts > 1 ? "trial.progress.part" : "trial.progress";
    return { text: fill(this.words[key], values), share: (values.n - 1) / values.total };
  }

  /** What is told before this trial, if anything; `last` is the block of the trial before it on this page. */
  pause(position, last, done) {
    const trial = this.trials[position];
    const block = this.of(trial.block);
    const at = block.indexOf(trial);
    const begun = last === undefined && block.some(({ id }) => done.has(id));
    if (begun) return this.timed(trial) ? { ...this.said("trial.ready"), lines: [this.words["trial.ready.text"]] } : null;
    if (trial.block !== last) return this.intro(trial, block);
    const due = this.data.break_every && at % this.data.break_every === 0 && at > 0;
    return due && !trial.practice ? this.rest(trial) : null;
  }

  said(name) {
    return { name, title: this.words[`${name}.title`], lines: [], items: [] };
  }

  timed({ stimuli }) {
    return this.data.display.exposure && stimuli.length === 1;
  }

  rest(trial) {
    const lines = [fill(this.words["trial.break.text"], { n: this.main.indexOf(trial), total: this.main.length })];
    return { ...this.said("trial.break"), lines };
  }

  intro(trial, block) {
    const practised = this.trials.some(({ practice }) => practice);
    if (!trial.practice && this.blocks.length === 1 && !practised) return null; // the instructions came just before
    return trial.practice ? this.practice(trial, block) : this.part(trial, block, practised);
  }

  practice(trial, block) {
    const { feedback, attempt, attempts, needed } = this.data.practice;
    const values = { n: block.length, needed, left: attempts - attempt + 1 };
    const again = attempt > 1 ? ".again" : "";
    const keys = [`trial.practice${again}.text`];
    if (feedback) keys.push("trial.practice.told");
    if (needed) keys.push(values.left > 1 ? "trial.practice.rule" : "trial.practice.last");
    return this.asked({ ...this.said(`trial.practice${again}`), lines: keys.map((key) => fill(this.words[key], values)) }, trial);
  }

  part(trial, block, practised) {
    const first = trial.block === this.blocks[0];
    const values = { n: block.length, part: this.blocks.indexOf(trial.block) + 1, parts: this.blocks.length };
    const title = values.parts > 1 ? fill(this.words["trial.part.title"], values) : this.words["trial.part.only"];
    const lines = first && practised ? [this.words["trial.part.counts"]] : [];
    lines.push(fill(this.words[trial.task === PAIRS ? "trial.part.pairs" : "trial.part.text"], values));
    return this.asked({ name: "trial.part", title, lines, items: [] }, trial);
  }

  /** Add what is asked of each picture of this task. */
  asked(said, trial) {
    if (this.timed(trial)) said.lines.push(this.words["trial.part.timed"]);
    const scales = this.data.tasks[trial.task].scales.map((name) => this.data.scales[name]);
    return { ...said, lines: [...said.lines, this.words["trial.part.asked"]], items: scales.map(({ question }) => question) };
  }
}
