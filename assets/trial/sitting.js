/** What a session keeps, sends and says of its connection; the trials are the View's. */
class Sitting {
  constructor(root, component) {
    const { data } = component;
    Object.assign(this, { component, data, words: data.words, trials: data.trials });
    this.root = root.querySelector(".fn-trial");
    this.find = (name) => this.root.querySelector(`.fn-${name}`);
    this.ending = new AbortController();
    this.turn = 0;
    this.cover = new Cover(this.root, data, this.ending.signal);
    this.store = new Store(data.session);
    this.outbox = new Outbox(this.store, data, () => this.status());
    this.lease = new Lease(this.store, () => this.elsewhere());
    this.done = new Set([...data.answered, ...this.outbox.items.map((answer) => answer.trial_id)]);
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

  /** Nothing is asked from now on. */
  halt() {
    this.turn += 1;
    this.accepting = false;
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
    this.halt();
    this.finishing = true;
    this.waited = 0;
    const { lacking, items } = this.outbox;
    if (lacking.length && !items.length) this.repeat(lacking.map(({ answer }) => answer.trial_id));
    else {
      this.cover.notice(this.data.stage === "all" ? "finishing" : "checking", {}, null, this.stop);
      this.status();
    }
  }

  /** Some answers were refused: the participant may give them again. */
  repeat(lacking) {
    this.finishing = false;
    this.cover.notice("repeat", { n: lacking.length }, () => {
      for (const id of lacking) this.done.delete(id);
      for (const id of lacking) this.history.delete(id);
      this.advance();
    });
  }

  elsewhere() {
    this.halt();
    this.outbox.destroy();
    this.cover.notice("elsewhere", {}, () => this.renew());
  }

  /** Start again from what the server knows now, as the tab that holds the lease. */
  renew() {
    this.lease.take("next");
    this.depart(() => location.reload());
  }

  /**
   * Load another page, once the server knows that this one was open until now: a page load long after the
   * last sign of life counts as a return from an absence.
   */
  async depart(go) {
    await stayed(this.data.here_url, this.data.token);
    go();
  }

  /** The quiet button of a cover, with which a participant can always stop. */
  get stop() {
    return [this.words["trial.stop"], () => this.leave()];
  }

  /** Stop: send what waits, say what could not be sent, and go to the page that asks what becomes of it. */
  async leave() {
    const interrupted = this.accepting;
    this.halt();
    this.leaving = true;
    const go = () => this.depart(() => location.assign(this.data.stop_url));
    const stay = () => {
      this.leaving = false;
      return interrupted ? this.stay() : this.advance();
    };
    if (await this.outbox.emptied(PATIENCE_MS, () => this.cover.notice("leaving"))) return go();
    if (this.outbox.closed || this.outbox.stopped) return undefined; // there are other words for that
    const { length: n } = this.outbox.items;
    return this.cover.notice("unsent", { n }, go, [this.words["trial.unsent.stay"], stay]);
  }

  status() {
    const { items, failures, stopped, aside } = this.outbox;
    if (stopped) {
      this.halt();
      const why = this.outbox.ended ? "ended" : stopped === 401 ? "stopped" : "refusing";
      this.cover.notice(why, { n: items.length, status: stopped }, () => this.depart(() => location.reload()));
    } else if (this.finishing && !items.length) {
      if (this.outbox.lacking.length) this.finish();
      else if (!this.waited) this.tell();
    }
    this.picture();
    const line = this.find("status");
    const text = this.line(this.outbox);
    if (line.textContent !== text) line.textContent = text;
    line.classList.toggle("fn-warn", Boolean(failures || aside.length || !this.store.durable));
  }

  /** What is true of the answers; it changes once per face, for whatever moves draws the eye from it. */
  line({ items, failures, slow, saved, aside, lacking }) {
    const { words } = this;
    const parts = [];
    const others = aside.length - lacking.length;
    if (lacking.length) parts.push(fill(words["trial.rejected"], { n: lacking.length }));
    if (others) parts.push(fill(words["trial.superseded"], { n: others }));
    if (items.length && failures) parts.push(fill(words["trial.waiting"], { n: items.length }));
    else if (items.length && slow) parts.push(words["trial.saving"]);
    else if (saved.size && !aside.length) parts.push(fill(words["trial.saved"], { n: saved.size }));
    if (items.length && failures && !this.store.durable) parts.push(words["trial.memory"]);
    return parts.join(" ");
  }

  update(component) {
    this.component = component;
    const { answered } = component.data;
    for (const id of answered) this.done.add(id);
    // The server lacks an answer that it once acknowledged, for instance after a restored backup.
    const lacks = answered.length < this.trials.length;
    if (this.finishing && !this.outbox.items.length && lacks) this.depart(() => location.reload());
  }

  destroy() {
    this.halt();
    clearInterval(this.timer);
    this.guard.disconnect();
    this.ending.abort();
    for (const part of [this.outbox, this.lease]) part.destroy();
    document.documentElement.classList.remove("fn-rating");
  }
}
