// A drawing of a bank card, made as large as a real one: what it measures then is pixels in a centimetre.

const STEP = 0.5;
const NARROW_PX = 480; // on a screen narrower than this a card lies across only when held upright
const USUAL_PX_PER_CM = 96 / 2.54;

function node(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

class Card {
  constructor(root, component) {
    const { card_cm: [long, short], px_per_cm: [low, high], words } = component.data;
    this.words = words;
    this.upright = innerWidth < NARROW_PX;
    [this.wide, this.tall] = this.upright ? [short, long] : [long, short];
    this.box = node("div", { class: "fn-card" }, node("span", { class: "fn-corner" }));
    this.range = node("input", {
      type: "range", id: "fn-card-width", step: STEP, min: Math.ceil(low * this.wide), max: Math.floor(high * this.wide),
    });
    this.button = node("button", { type: "button", class: "main" }, words.button);
    const label = node("label", { for: "fn-card-width" }, words.label);
    const notes = [words.zoom, ...(this.upright ? [words.turned] : [])].map((text) => node("p", {}, text));
    root.append(node("div", { class: "fn-page fn-calibrate", lang: component.data.lang }, label, this.range, ...notes.reverse(), this.button, this.box));
    this.set(USUAL_PX_PER_CM * this.wide);
    this.range.addEventListener("input", () => this.set(Number(this.range.value)));
    this.range.addEventListener("keydown", (event) => this.key(event));
    this.button.addEventListener("click", () => component.setTriggerValue("fits", this.width / this.wide));
    this.box.addEventListener("pointerdown", (event) => this.grip(event));
    this.box.addEventListener("pointermove", (event) => this.drag(event));
    for (const end of ["pointerup", "pointercancel"]) this.box.addEventListener(end, () => (this.held = null));
  }

  set(width) {
    const { min, max } = this.range;
    this.width = Math.min(Number(max), Math.max(Number(min), Math.round(width / STEP) * STEP));
    this.range.value = this.width;
    this.range.setAttribute("aria-valuetext", this.words.value.replace("{width}", this.width));
    this.box.style.width = `${this.width}px`;
    this.box.style.height = `${(this.width * this.tall) / this.wide}px`;
  }

  key(event) {
    event.stopPropagation();
    // The browser's own large step is a tenth of the whole range, far too much here.
    const step = { PageUp: 10, PageDown: -10 }[event.code];
    if (step === undefined) return;
    event.preventDefault();
    this.set(this.width + step);
  }

  grip(event) {
    this.held = { from: event.clientX, width: this.width };
    this.box.setPointerCapture(event.pointerId);
  }

  drag(event) {
    if (this.held) this.set(this.held.width + event.clientX - this.held.from);
  }
}

const cards = new WeakMap();

export default function (component) {
  const { parentElement: root } = component;
  if (!cards.has(root)) cards.set(root, new Card(root, component));
  return undefined;
}
