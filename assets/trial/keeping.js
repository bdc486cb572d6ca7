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
