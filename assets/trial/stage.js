/** The places for a trial's pictures, and what stands in them. */
class Stage {
  constructor(root, { words, pairs }) {
    Object.assign(this, { root, words, pairs });
    this.faces = root.querySelector(".fn-faces");
  }

  /** Make the places that a trial needs; those of the trial before stay where they are alike. */
  arrange({ task, stimuli }) {
    const pair = task === PAIRS;
    const form = pair ? PAIRS : stimuli.map(({ role }) => role).join();
    if (form === this.form) return;
    this.form = form;
    this.oval = pair && this.pairs.crop === "oval" ? this.pairs : null;
    this.places = stimuli.map(({ role }, index) => {
      const alt = pair ? fill(this.words["trial.pair.alt"], { n: index + 1 }) : this.words[`trial.role.${role}`];
      return place(alt, stimuli.length > 1 && !pair);
    });
    this.faces.replaceChildren(...this.places.map(({ figure }) => figure));
    this.root.classList.toggle("fn-oval", Boolean(this.oval));
    const { oval_width: wide, oval_height: high } = this.oval ?? { oval_width: 1, oval_height: 1 };
    const sizes = { "--count": stimuli.length, "--tall": high / wide, "--share": wide };
    for (const [name, value] of Object.entries(sizes)) this.root.style.setProperty(name, value);
  }

  clear() {
    for (const { box } of this.places ?? []) box.replaceChildren();
  }

  show(faces) {
    faces.forEach(({ image }, index) => {
      const { box, alt } = this.places[index];
      image.alt = alt;
      if (this.oval) this.cut(image);
      box.replaceChildren(image);
    });
  }

  /** Show an ellipse of the picture alone, as large as its place: the face without hair and clothes. */
  cut(image) {
    const { oval_width: wide, oval_height: high } = this.oval;
    // The place has the ellipse's form in a square picture; in a tall one the ellipse fills its height.
    const share = Math.min(1, image.naturalWidth / image.naturalHeight) / wide;
    image.style.width = `${100 * share}%`;
    image.style.clipPath = `ellipse(${50 * wide}% ${50 * high}%)`;
  }

  cross() {
    this.places[0].box.replaceChildren(node("i", { class: "fn-cross", "aria-hidden": "true" }));
  }

  mask() {
    this.places[0].box.replaceChildren((this.noise ??= noise()));
  }
}

function place(alt, named) {
  const box = node("div", { class: "fn-face" });
  const figure = node("figure", {}, box);
  if (named) figure.append(node("figcaption", {}, alt));
  return { figure, box, alt };
}

/** Grey squares of three sizes, the same in every session: it hides what the eye still holds of a face. */
function noise() {
  const side = 96;
  const canvas = node("canvas", { class: "fn-mask", width: side, height: side, "aria-hidden": "true" });
  const context = canvas.getContext("2d");
  let state = 1;
  // A linear congruential generator (Numerical Recipes, 2nd ed., section 7.1): any browser draws the same.
  const draw = () => (state = (1664525 * state + 1013904223) >>> 0) / 2 ** 32;
  for (const [cell, strength] of [[12, 1], [4, 0.6], [1, 0.4]]) {
    for (let y = 0; y < side; y += cell) {
      for (let x = 0; x < side; x += cell) {
        const grey = Math.round(255 * draw());
        context.fillStyle = `rgb(${grey} ${grey} ${grey} / ${strength})`;
        context.fillRect(x, y, cell, cell);
      }
    }
  }
  return canvas;
}
