/** Answers that the server has not acknowledged, sent in order until it has. */
class Outbox {
  /** trials: those of the page, where it shows any; what was refused of others can be given no more. */
  constructor(store, { url, token, answered, trials }, changed) {
    Object.assign(this, { store, url, token, changed });
    // trial_id -> the newest revision that the server has acknowledged (of earlier pages: at least the first)
    this.saved = new Map(answered.map((id) => [id, 1]));
    this.items = store.read("queue", []);
    this.aside = store.read("aside", []); // refused, the newest of each trial: reported, never sent again
    if (trials) this.aside = this.aside.filter(({ answer }) => trials.some(({ id }) => id === answer.trial_id));
    this.aside = this.lacking;
    this.failures = 0;
    this.started = 0;
    this.limit = BATCH;
    this.stopped = null; // the status with which the server refuses everything
    this.ended = false; // because the session has ended, for instance in another tab
    this.closed = false;
    this.wake = () => this.send();
    window.addEventListener("online", this.wake);
    document.addEventListener("visibilitychange", this.wake);
  }

  add(answer) {
    this.items.push(answer);
    this.keep();
  }

  /** The revision that the next answer to this trial is: a refused one was none. */
  revision(trial) {
    const waiting = this.items.filter(({ trial_id }) => trial_id === trial);
    return Math.max(this.saved.get(trial) ?? 0, ...waiting.map(({ revision }) => revision)) + 1;
  }

  keep() {
    this.store.write("queue", this.items);
    if (this.aside.length) this.store.write("aside", this.aside);
    else this.store.remove("aside");
    this.changed();
  }

  /** Send when the next face has come: what a request costs must not hold it up. */
  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(this.wake, AFTER_MS);
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
    if (this.closed) return;
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
    this.ended = reply.status === 410;
    if (this.ended) this.settle(said.acked ?? [], []);
    return this.refuse(batch, reply.status);
  }

  settle(acked, rejected) {
    const same = (answer) => (pair) => pair[0] === answer.trial_id && pair[1] === answer.revision;
    const refusal = (answer) => rejected.find((r) => same(answer)([r.trial_id, r.revision]));
    if (acked.length) this.aside = this.lacking; // the others were told while this was on its way
    for (const answer of this.items) {
      const refused = refusal(answer);
      if (refused) this.refused(answer, refused.status);
      else if (acked.some(same(answer))) this.accept(answer);
    }
    const waiting = this.items.filter((answer) => !refusal(answer) && !acked.some(same(answer)));
    const progress = waiting.length < this.items.length;
    this.items = waiting;
    this.keep();
    return progress;
  }

  accept(answer) {
    this.saved.set(answer.trial_id, answer.revision);
    this.forget(answer);
  }

  refused(answer, status) {
    this.forget(answer);
    this.aside.push({ answer, status });
  }

  /** Leave aside no earlier answer to this one's trial. */
  forget({ trial_id }) {
    this.aside = this.aside.filter(({ answer }) => answer.trial_id !== trial_id);
  }

  /** The request as a whole was refused; find the one bad answer, or stop. */
  refuse(batch, status) {
    const malformed = status === 400 || status === 409 || status === 413 || status === 422;
    const [{ trial_id, revision }] = batch;
    if (malformed && batch.length === 1) return this.settle([], [{ trial_id, revision, status }]);
    if (malformed) this.limit = 1;
    else this.stopped = status;
    return true;
  }

  /** Wait until the server holds every answer, but no longer than this; say so where there is a wait. */
  async emptied(ms, waiting) {
    const until = performance.now() + ms;
    if (this.items.length) waiting();
    while (this.items.length && performance.now() < until) {
      this.send();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return !this.items.length;
  }

  get slow() {
    return Boolean(this.sending) && performance.now() - this.started > SLOW_MS;
  }

  /** Refused answers whose trial the server still lacks (409 means that another answer counts). */
  get lacking() {
    return this.aside.filter(({ answer, status }) => status !== 409 && !this.saved.has(answer.trial_id));
  }

  destroy() {
    this.closed = true;
    clearTimeout(this.timer);
    window.removeEventListener("online", this.wake);
    document.removeEventListener("visibilitychange", this.wake);
  }
}
