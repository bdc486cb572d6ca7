// What every participant page has around it: its language, the arrival at a new page, and the lost connection.

const BEAT_MS = 500;
const PATIENCE_MS = 2000; // a shorter gap mends itself unnoticed

const MAIN = '[data-testid="stMain"]';

class Frame {
  constructor() {
    this.line = document.createElement("p");
    this.line.className = "fn-lost";
    this.line.setAttribute("role", "status");
    document.body.append(this.line);
    this.lostAt = null;
    this.heading = null;
    // Streamlit's dialog about the connection makes the page inert: here it is said in words.
    this.guard = new MutationObserver(() => this.free());
    this.guard.observe(document.body, { attributes: true, attributeFilter: ["inert"], subtree: true });
    this.beat = setInterval(() => this.look(), BEAT_MS);
  }

  update({ lang, dir, skip, lost }) {
    Object.assign(document.documentElement, { lang, dir });
    Object.assign(this, { skip, words: lost });
  }

  free() {
    const inert = document.querySelector(MAIN)?.closest("[inert]");
    if (!inert) return;
    document.querySelector('[data-testid="stDialog"] button')?.click();
    inert.inert = false;
  }

  look() {
    this.listen();
    this.arrive();
    const link = document.querySelector('a[href="#stMain"]');
    if (link && link.textContent !== this.skip) link.textContent = this.skip;
  }

  listen() {
    const gone = Boolean(document.querySelector('[data-testid="stConnectionStatus"]'));
    if (!gone) this.lostAt = null;
    else this.lostAt ??= performance.now();
    // The trials say it themselves.
    const rating = document.documentElement.classList.contains("fn-rating");
    const told = gone && !rating && performance.now() - this.lostAt >= PATIENCE_MS;
    const words = told ? this.words : "";
    if (this.line.textContent !== words) this.line.textContent = words;
  }

  /** A new page in the same document: from its top, and told to who listens. */
  arrive() {
    const heading = document.querySelector(`${MAIN} h1`);
    if (!heading || heading === this.heading) return;
    const [first, same] = [this.heading === null, heading.textContent === this.heading?.textContent];
    // Streamlit may put the same heading there once more; only who was on it loses their place.
    const stays = same && (this.heading.isConnected || document.activeElement !== document.body);
    this.heading = heading;
    if (first || stays) return;
    if (!same) document.querySelector(MAIN).scrollTo(0, 0);
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  }

  destroy() {
    clearInterval(this.beat);
    this.guard.disconnect();
    this.line.remove();
  }
}

const frames = new WeakMap();

export default function ({ data, parentElement: root }) {
  const held = frames.get(root) ?? { frame: new Frame(), calls: 0 };
  frames.set(root, held);
  held.frame.update(data);
  const call = ++held.calls;
  return () => {
    // Streamlit may clean up an earlier call while a later one lives: only the last one counts.
    if (call !== held.calls) return;
    held.frame.destroy();
    frames.delete(root);
  };
}
