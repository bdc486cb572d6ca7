// Manikins: our own drawings in the spirit of the Self-Assessment Manikin (Bradley & Lang, 1994).

const FIGURES = 5;

function svg(tag, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const curve = (d, more = {}) => svg("path", { d, ...more });
const dot = (cx, cy, r) => svg("circle", { cx, cy, r, class: "fn-inked" });

/** Two mirrored copies of what is drawn for the left side of a figure whose middle is x = 50. */
function mirrored(draw) {
  return [draw(), svg("g", { transform: "matrix(-1 0 0 1 100 0)" }, draw())];
}

/** Head and shoulders: the mouth bends and the brows turn from unhappy (0) to happy (1). */
function drawValence(level) {
  const bend = 2 * level - 1;
  const corner = 66 - 5 * bend;
  const [outer, inner] = bend < 0 ? [35 - 4 * bend, 35 + 5 * bend] : [35 - 2 * bend, 35 - 3 * bend];
  const brow = () => curve(`M27 ${outer} Q36 ${31 - 4 * bend} 44 ${inner}`);
  return [
    curve("M8 114 V108 Q8 92 26 92 H74 Q92 92 92 108 V114"),
    svg("rect", { x: 14, y: 8, width: 72, height: 80, rx: 34 }),
    ...mirrored(brow),
    ...mirrored(() => dot(36, 46, 4.2)),
    curve(`M30 ${corner} Q50 ${corner + 27 * bend} 70 ${corner}`, { class: "fn-line" }),
  ];
}

/** Closed eyes open, a point in the belly bursts and the body shakes, from calm (0) to stirred up (1). */
function drawArousal(level) {
  const lid = () => curve("M33 29 Q39 33 45 29", { class: "fn-line" });
  const ring = () => svg("circle", { cx: 39, cy: 28, r: 3.4 + 4.2 * level, "stroke-width": 2.4 });
  const eye = () => svg("g", {}, ring(), dot(39, 28, 0.9 + 2.1 * level));
  const shake = () => curve("M7 60 L2 66 L8 72 L3 78", { class: "fn-line" });
  return [
    ...torso(),
    ...mirrored(level > 0 ? eye : lid),
    burst(50, 78, level),
    ...(level > 0.7 ? mirrored(shake) : []),
  ];
}

/** A body down to the belly, with a head without a face. */
function torso() {
  return [
    curve("M28 112 V62 Q28 52 38 52 H62 Q72 52 72 62 V112"),
    ...mirrored(() => curve("M28 58 Q16 62 15 78 V98", { class: "fn-line" })),
    svg("rect", { x: 24, y: 6, width: 52, height: 44, rx: 20 }),
  ];
}

/** A star whose spikes are more and longer the higher the level; at 0 a point. */
function burst(x, y, level) {
  if (level === 0) return dot(x, y, 2.5);
  const spikes = 6 + Math.round(8 * level);
  const outer = 6 + 15 * level;
  const points = Array.from({ length: 2 * spikes }, (_, at) => {
    const r = at % 2 ? outer * (0.62 - 0.12 * level) : outer;
    const turn = (Math.PI * at) / spikes;
    return `${(x + r * Math.sin(turn)).toFixed(1)} ${(y - r * Math.cos(turn)).toFixed(1)}`;
  });
  return curve(`M${points.join("L")}Z`, { class: "fn-inked" });
}

/** The whole figure, from tiny (0) to as large as its frame (1). */
function drawDominance(level) {
  const size = 0.34 + 0.78 * level;
  const figure = [
    curve("M40 72 V94 Q40 98 44 98 H49 V78 H51 V98 H56 Q60 98 60 94 V72"),
    ...mirrored(() => curve("M36 41 Q27 42 26 52 V64 Q26 68 30 68 Q33 68 33 64 V56")),
    svg("rect", { x: 34, y: 40, width: 32, height: 36, rx: 6 }),
    svg("rect", { x: 32, y: 5, width: 36, height: 33, rx: 15 }),
    ...mirrored(() => dot(43, 20, 2.4)),
    curve("M43 29 H57"),
  ];
  // Lines of a small figure would be too thin at its own scale.
  const place = `translate(50 56) scale(${size}) translate(-50 -52)`;
  return [svg("g", { transform: place, "stroke-width": 3 / Math.sqrt(size) }, ...figure)];
}

const LOOKS = { "sam-valence": drawValence, "sam-arousal": drawArousal, "sam-dominance": drawDominance };

/** One manikin; level: 0 at the low end of its scale, 1 at the high one. */
function manikin(look, level) {
  return svg("svg", { viewBox: "0 0 100 112", class: "fn-manikin" }, ...LOOKS[look](level));
}

/** A Likert scale of 5 or 9 points below five manikins; of 9, every other point lies between two of them. */
class Manikins extends Choice {
  constructor(spec, view) {
    super(spec, view);
    this.root.classList.add("fn-manikins");
    const every = (spec.points - 1) / (FIGURES - 1);
    this.cards = Array.from({ length: FIGURES }, (_, at) => {
      const card = node("span", { class: "fn-card" });
      card.append(manikin(spec.look, at / (FIGURES - 1)));
      return { card, point: 1 + at * every };
    });
    const row = node("div", { class: "fn-cards", "aria-hidden": "true" });
    row.append(...this.cards.map(({ card }) => card));
    this.group.prepend(row);
    this.paint();
  }

  label(button, text, index) {
    const said = fill(this.view.words["scale.point"], { n: text, points: this.spec.points });
    const words = this.anchor(index);
    button.setAttribute("aria-label", words ? `${said}, ${words}` : said);
    button.append(node("i", { class: "fn-dot" }));
    button.style.gridColumn = index + 1; // the cards lie in the same row
  }

  paint() {
    super.paint();
    for (const { card, point } of this.cards ?? []) card.classList.toggle("fn-on", point === this.value);
  }
}
