/** Pictures loaded and decoded ahead of their trials. */
class Pictures {
  constructor(trials, failing) {
    Object.assign(this, { trials, failing });
    this.held = new Map();
    this.waiting = new Set();
    this.retry = () => {
      for (const go of this.waiting) go();
    };
    window.addEventListener("online", this.retry);
  }

  ahead(position) {
    for (const index of this.held.keys()) if (Math.abs(index - position) > AHEAD) this.drop(index);
    for (let index = position; index <= position + AHEAD && index < this.trials.length; index++) this.get(index);
  }

  drop(index) {
    this.held.get(index).dropped = true;
    this.held.delete(index);
  }

  get(index) {
    if (!this.held.has(index)) {
      const entry = { ready: false, failed: false, dropped: false };
      const all = this.trials[index].stimuli.map(({ src }) => this.load(src, entry));
      entry.faces = Promise.all(all).then((faces) => {
        entry.ready = true;
        return faces;
      });
      this.held.set(index, entry);
    }
    return this.held.get(index);
  }

  /** Try until the picture is here, or until nobody wants it any more. */
  async load(src, entry) {
    for (let failures = 0; !entry.dropped; failures++) {
      const image = node("img", { src, alt: "", draggable: "false", elementtiming: "face" });
      const loaded = await new Promise((resolve) => {
        image.onload = () => resolve(true);
        image.onerror = () => resolve(false);
      });
      if (loaded) return this.decode(image, failures === 0);
      if (entry.dropped) break;
      entry.failed = true;
      this.failing();
      await this.patience(Math.min(10000, 1000 * 2 ** failures));
    }
    return null;
  }

  patience(ms) {
    return new Promise((resolve) => {
      const go = () => {
        this.waiting.delete(go);
        resolve();
      };
      this.waiting.add(go);
      setTimeout(go, ms);
    });
  }

  async decode(image, atOnce) {
    const start = performance.now();
    try {
      await image.decode();
      return { image, ms: performance.now() - start, ok: atOnce };
    } catch {
      return { image, ms: null, ok: false }; // it loaded, so it may be shown; the trial is flagged
    }
  }

  destroy() {
    window.removeEventListener("online", this.retry);
    for (const index of this.held.keys()) this.drop(index);
    this.retry();
  }
}
