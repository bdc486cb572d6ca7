const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const ENDED = [401, 409, 410]; // the server takes no more of this session

/** Lists that another tab may write, too: each write carries over only what it adds and what it takes away. */
class SharedLists {
  constructor(store) {
    this.store = store;
    this.seen = {};
  }

  read(name, otherwise) {
    const list = this.store.read(name, otherwise);
    this.seen[name] = list.map((entry) => JSON.stringify(entry));
    return list;
  }

  write(name, list) {
    const seen = new Set(this.seen[name]);
    const wanted = new Set(list.map((entry) => JSON.stringify(entry)));
    const now = this.store.read(name, []).map((entry) => JSON.stringify(entry));
    const kept = now.filter((text) => wanted.has(text) || !seen.has(text));
    const added = [...wanted].filter((text) => !seen.has(text) && !now.includes(text));
    this.seen[name] = [...kept, ...added];
    if (this.seen[name].length) this.store.write(name, this.seen[name].map((text) => JSON.parse(text)));
    else this.store.remove(name);
  }

  remove(name) {
    this.write(name, []);
  }
}

/** What this browser keeps of a session and has not sent: answers to its pictures and to its questions. */
class Unsent {
  constructor(session, { url, questions, token }) {
    this.store = new Store(session);
    this.lists = new SharedLists(this.store);
    this.asked = new Asked(this.store, { url: questions, token });
    this.outbox = new Outbox(this.lists, { url, token, answered: [] }, () => this.look());
  }

  /** See what other tabs added. */
  look() {
    this.outbox.items = this.lists.read("queue", []);
  }

  get names() {
    try {
      return Object.keys(localStorage).filter((name) => name.startsWith(this.store.prefix));
    } catch {
      return []; // a browser that refuses localStorage has kept nothing
    }
  }

  /** The pages of questions with answers that were not acknowledged. */
  get pages() {
    const prefix = `${this.store.prefix}questions:`;
    return this.names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  }

  get count() {
    const fields = this.pages.map((page) => Object.keys(this.asked.read(page)).length);
    return fields.reduce((sum, n) => sum + n, this.store.read("queue", []).length);
  }

  /** Send it all; false where the server has not judged each answer in this time. */
  async sent(ms) {
    const until = performance.now() + ms;
    this.look();
    this.outbox.send();
    const asked = await this.ask(until);
    while (this.outbox.items.length && !this.outbox.stopped && performance.now() < until) await pause(100);
    return asked && (!this.outbox.items.length || ENDED.includes(this.outbox.stopped));
  }

  async ask(until) {
    for (const page of this.pages) {
      while (!(await this.post(page, until).catch(() => false))) {
        if (performance.now() >= until) return false;
        await pause(1000);
      }
    }
    return true;
  }

  /** Send a page's answers; false where the server did not judge them. */
  async post(page, until) {
    const answers = this.asked.read(page);
    const signal = AbortSignal.timeout(Math.ceil(Math.max(1, Math.min(TIMEOUT_MS, until - performance.now()))));
    const reply = await this.asked.post(page || null, answers, false, { signal });
    if (reply.status === 412) await this.asked.catchUp(reply);
    if (!reply.ok) return isRefusal(reply.status) || ENDED.includes(reply.status);
    // Read again: a tab that shows the page may have added to it.
    const left = Object.entries(this.asked.read(page)).filter(([field, value]) => answers[field] !== value);
    this.asked.write(page, Object.fromEntries(left));
    return true;
  }

  /** Leave nothing of this session in the browser. */
  forget() {
    for (const name of this.names) localStorage.removeItem(name);
  }
}
