/** One of the two answers of an affect grid; the grid is its widget. */
class Axis extends Scale {
  constructor(spec, grid, way) {
    super(spec, grid.view, grid.root);
    Object.assign(this, { grid, way });
    this.heading.before(node("span", { class: "fn-way", "aria-hidden": "true" }, way === "x" ? "↔" : "↕"));
    this.heading.classList.add("fn-axis");
    this.slider = node("div", { role: "slider", class: `fn-axis-${way}` });
    this.slider.setAttribute("aria-orientation", way === "x" ? "horizontal" : "vertical");
    this.slider.setAttribute("aria-valuemin", this.low);
    this.slider.setAttribute("aria-valuemax", this.high);
    this.name(this.slider);
  }

  get low() {
    return this.spec.kind === "vas" ? 0 : 1;
  }

  get high() {
    return this.spec.kind === "vas" ? 100 : this.spec.points;
  }

  get middle() {
    return (this.low + this.high) / 2;
  }

  /** The value at a share of the square's side. */
  valueAt(share) {
    const inside = Math.min(1, Math.max(0, share));
    if (this.spec.kind === "vas") return Math.round(100 * inside);
    return 1 + Math.min(this.spec.points - 1, Math.floor(this.spec.points * inside));
  }

  /** Where a value lies on the square's side: a line has ends, a cell a middle. */
  shareOf(value) {
    return this.spec.kind === "vas" ? value / 100 : (value - 0.5) / this.spec.points;
  }

  within(value) {
    return Math.min(this.high, Math.max(this.low, value));
  }

  focus(options) {
    this.grid.focus(options);
  }

  get repeats() {
    return true;
  }

  key(event) {
    return this.grid.key(event) || super.key(event);
  }

  paint() {
    super.paint();
    this.grid.paint();
  }

  /** Tell the slider's state to a screen reader. */
  tell(stop) {
    const { low, high } = this.spec.anchors;
    const value = this.given ?? this.middle;
    this.slider.tabIndex = stop && this.applicable ? 0 : -1;
    this.slider.setAttribute("aria-disabled", String(!this.applicable));
    this.slider.setAttribute("aria-valuenow", value);
    const said = fill(this.view.words["scale.value"], { value, most: this.high, low, high });
    this.slider.setAttribute("aria-valuetext", this.wordless ?? said);
  }
}

/**
 * The affect grid (Russell, Weiss & Mendelsohn, 1989): one square, two scales, one mark.
 *
 * To a screen reader it is two sliders in a group; the arrow keys move the focus to the slider that they
 * move, so that its new value is heard. Both are one stop for the Tab key.
 */
class Grid {
  constructor([x, y], view) {
    this.view = view;
    this.root = node("section", { class: "fn-scale fn-grid" });
    this.x = new Axis(x, this, "x");
    this.y = new Axis(y, this, "y");
    this.scales = [this.x, this.y];
    this.stop = this.x;
    this.mark = node("i", { class: "fn-mark" });
    this.square = node("div", { class: "fn-square" }, this.mark, this.x.slider, this.y.slider);
    if (x.kind === "likert") this.square.style.setProperty("--points", x.points);
    this.square.classList.add(x.kind === "likert" ? "fn-cells" : "fn-plane");
    const side = (text, at) => node("span", { class: `fn-side fn-${at}`, "aria-hidden": "true" }, text);
    const sides = [side(y.anchors.high, "top"), side(x.anchors.low, "left"), side(x.anchors.high, "right"), side(y.anchors.low, "bottom")];
    const named = { role: "group", "aria-label": view.words["scale.grid"], class: "fn-plane-box" };
    this.root.append(node("div", named, this.square, ...sides));
    this.x.offer(this.scales);
    this.listen();
    this.paint();
  }

  listen() {
    follow(this.square, this.scales, (event, grip) => this.at(event, grip));
    // Going from one slider to the other is still the same visit.
    this.root.addEventListener("focusin", ({ relatedTarget }) => {
      if (!this.root.contains(relatedTarget)) this.visit = Symbol("visit");
    });
  }

  at(event, grip) {
    const box = this.square.getBoundingClientRect();
    const [left, top] = [this.square.clientLeft, this.square.clientTop];
    const x = (event.clientX - box.left - left) / this.square.clientWidth;
    const y = 1 - (event.clientY - box.top - top) / this.square.clientHeight;
    this.place(this.x.valueAt(x), this.y.valueAt(y), event, grip);
  }

  /** A mark on a square always has both values: one gesture answers both scales. */
  place(x, y, event, gesture) {
    this.x.set(x, event, gesture);
    this.y.set(y, event, gesture);
  }

  focus(options) {
    this.stop.slider.focus(options);
  }

  key(event) {
    const [x, y] = this.scales.map((axis) => axis.given ?? axis.middle); // the first arrow leaves the middle
    const line = this.x.spec.kind === "vas";
    const step = line && event.repeat ? 3 : 1;
    const page = Math.max(2, Math.round(this.y.high / 10));
    const to = {
      ArrowRight: [x + step, y], ArrowLeft: [x - step, y], Home: [this.x.low, y], End: [this.x.high, y],
      ArrowUp: [x, y + step], ArrowDown: [x, y - step], PageUp: [x, y + page], PageDown: [x, y - page],
    }[event.code];
    if (!to) return false;
    this.stop = to[0] === x && /Up|Down/.test(event.code) ? this.y : this.x;
    this.focus();
    this.place(this.x.within(to[0]), this.y.within(to[1]), event, this.visit);
    return true;
  }

  paint() {
    if (!this.square) return;
    const set = this.x.given !== null;
    for (const axis of this.scales) axis.tell(axis === this.stop);
    this.square.classList.toggle("fn-set", set);
    if (!set) return;
    this.mark.style.setProperty("--x", this.x.shareOf(this.x.given));
    this.mark.style.setProperty("--y", this.y.shareOf(this.y.given));
  }
}
