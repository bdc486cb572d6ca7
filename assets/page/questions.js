// A page of questions: each answer is posted when it is given, and counts as saved once the server says so.

const TYPED_MS = 700; // after the last key of a text
const LEAVE_MS = 4000; // the next page comes over the websocket; after so long it is fetched anew

class Questions {
  constructor(root, component) {
    this.component = component;
    this.data = component.data;
    this.holder = root.querySelector(".fn-page") ?? root.appendChild(document.createElement("div"));
    this.holder.className = "fn-page";
    this.holder.innerHTML = this.data.html;
    this.form = this.holder.querySelector("form");
    this.asked = new Asked(new Store(this.data.session), this.data);
    this.waiting = new Map();
    this.refused = new Set(); // told on screen, not stored
    this.failures = 0;
    this.rejected = false; // as it is now, the server will never take it
    this.acknowledged = false;
    this.wake = () => this.send();
    this.leaveTab = () => this.part();
    this.listen();
    for (const [field, value] of Object.entries(this.asked.read(this.data.page))) this.restore(field, value);
    this.timer = setInterval(() => this.say(), 500);
    this.send();
  }

  listen() {
    this.form.addEventListener("input", (event) => this.given(event, TYPED_MS));
    this.form.addEventListener("change", (event) => this.given(event, 0));
    this.form.addEventListener("click", (event) => this.click(event));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.leaving = true;
      this.summarise([]);
      this.send();
    });
    window.addEventListener("online", this.wake);
    window.addEventListener("pagehide", this.leaveTab);
    for (const list of this.form.querySelectorAll("fieldset.question")) this.offerClear(list);
  }

  box(field) {
    return this.form.querySelector(`[data-field="${CSS.escape(field)}"]`);
  }

  /** The answer on screen; null for none. */
  value(box) {
    const typed = box.querySelector("textarea, select, input:not([type=radio])");
    const value = typed ? typed.value : box.querySelector("input:checked")?.value;
    return value?.replace(/\p{Surrogate}/gu, "") || null; // halves of characters, which UTF-8 has not
  }

  restore(field, value) {
    const box = this.box(field);
    if (!box) return;
    const typed = box.querySelector("textarea, select, input:not([type=radio])");
    if (typed) typed.value = value ?? "";
    else for (const radio of box.querySelectorAll("input")) radio.checked = radio.value === value;
    this.waiting.set(field, value);
    this.offerClear(box.closest("fieldset.question"));
  }

  given({ target }, delay) {
    const box = target.closest("[data-field]");
    if (!box) return;
    this.mark(box.dataset.field, "");
    this.offerClear(box.closest("fieldset.question"));
    this.wait(box, delay);
  }

  wait(box, delay) {
    this.waiting.set(box.dataset.field, this.value(box));
    this.keep();
    this.say();
    clearTimeout(this.soon);
    this.soon = setTimeout(this.wake, delay);
  }

  keep() {
    this.asked.write(this.data.page, Object.fromEntries(this.waiting));
  }

  click(event) {
    if (event.target.closest(".clear")) this.clear(event.target.closest("fieldset"));
    const link = event.target.closest("[data-go]");
    if (!link) return;
    event.preventDefault();
    this.go(link.dataset.go);
  }

  clear(list) {
    const boxes = list.dataset.field ? [list] : [...list.querySelectorAll("[data-field]")];
    for (const box of boxes) {
      for (const radio of box.querySelectorAll("input")) radio.checked = false;
      this.mark(box.dataset.field, "");
      this.wait(box, 0);
    }
    this.offerClear(list);
    list.querySelector("input").focus();
  }

  offerClear(list) {
    const button = list?.querySelector(".clear");
    if (button) button.disabled = !list.querySelector("input:checked");
  }

  go(field) {
    const box = this.box(field);
    const target = box.querySelector("input, textarea, select");
    target.focus({ preventScroll: true });
    box.scrollIntoView({ block: "center" });
  }

  async send() {
    clearTimeout(this.soon);
    if (this.sending || this.stopped || this.left || !(this.waiting.size || this.leaving)) return;
    this.sending = true;
    this.rejected = false;
    this.since = performance.now();
    // Continue sends the whole page, so that the last word on each question is the one on screen.
    const boxes = this.leaving ? [...this.form.querySelectorAll("[data-field]")] : [];
    const answers = Object.fromEntries([...this.waiting, ...boxes.map((box) => [box.dataset.field, this.value(box)])]);
    try {
      await this.settle(answers, this.leaving, await this.post(answers, this.leaving));
      this.failures = 0;
    } catch {
      this.failures += 1; // no network, a server that restarts, a proxy's page: all pass
    }
    this.sending = false;
    this.say();
    if ((this.waiting.size || this.leaving) && !this.rejected) this.soon = setTimeout(this.wake, this.delay());
  }

  delay() {
    if (!this.failures) return 0;
    return Math.min(15000, 1000 * 1.6 ** (this.failures - 1)) * (0.8 + 0.4 * Math.random());
  }

  post(answers, leave, more = { signal: AbortSignal.timeout(TIMEOUT_MS) }) {
    return this.asked.post(this.data.page, answers, leave, more);
  }

  async settle(sent, leaving, reply) {
    if (reply.status === 409) return location.reload(); // the session has ended: its last page says so
    if (reply.status === 401) return this.stop();
    if (reply.status === 412) return this.asked.catchUp(reply);
    if (isRefusal(reply.status)) return this.reject(sent);
    if (!reply.ok) throw new Error(reply.status);
    const { saved, wrong, missing, left } = await reply.json();
    for (const [field, value] of Object.entries(sent)) if (this.waiting.get(field) === value) this.waiting.delete(field);
    this.keep();
    this.acknowledged ||= saved.some((field) => sent[field] !== null);
    this.refused = new Set([...this.refused, ...Object.keys(wrong)].filter((field) => !saved.includes(field)));
    for (const [field, words] of Object.entries(wrong)) this.mark(field, words);
    if (!leaving) return undefined;
    this.leaving = false;
    return left && !this.waiting.size ? this.next() : this.lack(Object.keys(wrong), missing);
  }

  stop() {
    this.stopped = true;
    this.leaving = false;
    this.say();
  }

  /** Sent once more it would be refused once more: it waits for a change, or for Continue. */
  reject(sent) {
    this.leaving = false;
    this.rejected = [...this.waiting].every(([field, value]) => sent[field] === value);
  }

  /** The server has everything: ask for the next page. */
  next() {
    this.left = true;
    this.component.setTriggerValue("left", true);
    this.late = setTimeout(() => location.reload(), LEAVE_MS);
  }

  lack(wrong, missing) {
    for (const field of missing) this.mark(field, this.data.words.open);
    const order = [...this.form.querySelectorAll("[data-field]")].map((box) => box.dataset.field);
    const fields = order.filter((field) => wrong.includes(field) || missing.includes(field));
    this.summarise(fields);
    if (fields.length) this.go(fields[0]);
    else this.send(); // something was changed while Continue was on its way
  }

  summarise(fields) {
    const box = this.form.querySelector(".summary");
    box.hidden = !fields.length;
    box.querySelector("ul").replaceChildren(
      ...fields.map((field) => {
        const link = Object.assign(document.createElement("a"), { href: `#q-${field}`, textContent: this.label(field) });
        link.dataset.go = field;
        const line = document.createElement("li");
        line.append(link);
        return line;
      }),
    );
  }

  label(field) {
    const [words] = this.box(field).querySelector("label[for], legend, p").childNodes;
    return words.textContent.trim();
  }

  mark(field, words) {
    const box = this.box(field);
    const said = box.querySelector(".wrong");
    said.hidden = !words;
    said.textContent = words;
    const typed = box.querySelector("textarea, select, input:not([type=radio])") ?? box;
    if (words) typed.setAttribute("aria-invalid", "true");
    else typed.removeAttribute("aria-invalid");
  }

  /** Only what the server acknowledged is called saved. */
  say() {
    const { words } = this.data;
    const state = this.form.querySelector(".state");
    const slow = this.failures || (this.sending && performance.now() - this.since > SLOW_MS);
    const text = this.stopped
      ? words.gone
      : this.rejected ? words.refused
      : slow ? words[this.leaving ? "waiting.next" : "waiting"]
      : this.acknowledged && !this.waiting.size && !this.refused.size && !this.sending ? words.saved : null;
    if (text !== null && state.textContent !== text) state.textContent = text;
    if (text === null && [words.saved, words.refused].includes(state.textContent)) state.textContent = "";
    state.classList.toggle("warn", Boolean(this.stopped || this.rejected || slow));
  }

  /** The tab is closed or reloaded: send what still waits, without waiting for the reply. */
  part() {
    if (!this.waiting.size || this.stopped) return;
    this.post(Object.fromEntries(this.waiting), false, { keepalive: true }).catch(() => {});
  }

  destroy() {
    this.part();
    this.stopped = true;
    clearInterval(this.timer);
    clearTimeout(this.soon);
    clearTimeout(this.late);
    window.removeEventListener("online", this.wake);
    window.removeEventListener("pagehide", this.leaveTab);
  }
}

const views = new WeakMap();

export default function (component) {
  const { parentElement: root } = component;
  // What is typed stays on screen: a later run of the page brings nothing new.
  const held = views.get(root) ?? { view: new Questions(root, component), calls: 0 };
  views.set(root, held);
  held.view.component = component;
  const call = ++held.calls;
  return () => {
    // Streamlit may clean up an earlier call while a later one lives: only the last one counts.
    if (call !== held.calls) return;
    held.view.destroy();
    views.delete(root);
  };
}
