/** The screen that lies over the trial: a pause, or words about what went wrong. */
class Cover {
  constructor(root, { words, contact }, signal) {
    Object.assign(this, { root, words, contact });
    this.box = root.querySelector(".fn-notice");
    const [main, other] = this.box.querySelectorAll("button");
    Object.assign(this, { main, other, name: null });
    this.open(false);
    main.addEventListener("click", (event) => this.early(event) || this.action?.(), { signal });
    other.addEventListener("click", (event) => this.early(event) || this.second?.(), { signal });
  }

  get hidden() {
    return this.name === null;
  }

  /** Say what the catalogue has under this name, with a button where there is an action. */
  notice(name, values, action, second) {
    const said = { contact: this.contact, ...values };
    const [title, text] = ["title", "text"].map((part) => fill(this.words[`trial.${name}.${part}`], said));
    const label = action && this.words[`trial.${name}.button`];
    this.show({ name, title, lines: [text], items: [], role: "alertdialog" }, { label, action, second });
  }

  /** second: [label, action] of a quiet button beside the main one. */
  show({ name, title, lines, items, role = "region" }, { label, action = null, second = null }) {
    if (name === this.name) return;
    this.name = name;
    this.since = performance.now();
    const [head, text, list] = this.box.children;
    head.textContent = title;
    text.replaceChildren(...lines.map((line) => node("p", {}, line)));
    list.replaceChildren(...items.map((item) => node("li", {}, item)));
    list.hidden = !items.length;
    this.action = action;
    this.main.hidden = !action;
    if (action) this.main.textContent = label;
    this.second = second?.[1] ?? null;
    this.other.hidden = !second;
    if (second) this.other.textContent = second[0];
    const alert = role === "alertdialog";
    this.box.setAttribute("role", role);
    if (alert) this.box.setAttribute("aria-modal", "true");
    else this.box.removeAttribute("aria-modal");
    this.open(true);
    (alert && action ? this.main : this.box).focus({ preventScroll: true });
  }

  hide() {
    if (this.hidden) return;
    this.name = this.action = this.second = null;
    this.open(false);
  }

  open(shown) {
    this.box.hidden = !shown;
    for (const part of this.root.querySelectorAll(".fn-stage, .fn-panel")) part.inert = shown;
  }

  get pausing() {
    return this.box.getAttribute("role") === "region";
  }

  /** A press so soon after a pause has begun was still meant for the question before. */
  early(event) {
    return this.pausing && event.timeStamp - this.since < EARLY_MS;
  }

  /** Enter on a pause goes on. */
  enter(event) {
    if (!this.pausing || document.activeElement !== this.box || event.repeat || this.early(event)) return false;
    this.action?.();
    return true;
  }
}
