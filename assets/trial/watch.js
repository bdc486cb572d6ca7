/**
 * How the browser presented the trial that is on screen.
 *
 * paint_ms: from the swap of the pictures to the frame that shows them. Chromium reports the moment of
 * painting (Element Timing); elsewhere it is the next animation frame, which comes after that moment.
 * frame_sd_ms: of the intervals between animation frames, sampled for half a second after each face
 * appears and through each timed exposure: a loop that never ends would cost a phone's battery.
 */
class Watch {
  constructor(store) {
    this.store = store;
    this.reset();
    this.gone = document.visibilityState === "hidden";
    this.frames = store.read("frames", { n: 0, mean: 0, squares: 0 });
    this.recent = [];
    // Leaving a tab both hides and blurs it: that is one absence.
    this.leave = () => {
      if (!this.gone) this.blurs += 1;
      this.gone = true;
    };
    this.come = () => (this.gone = false);
    this.turn = () => {
      this.last = null; // no frames come while the page is hidden: that is no interval
      if (document.visibilityState !== "hidden") return this.come();
      this.hidden += 1;
      this.leave();
      this.onhide?.();
    };
    document.addEventListener("visibilitychange", this.turn);
    window.addEventListener("blur", this.leave);
    window.addEventListener("focus", this.come);
    if (window.PerformanceObserver?.supportedEntryTypes?.includes("element")) {
      this.painter = new PerformanceObserver((list) => list.getEntries().forEach((entry) => this.painted(entry)));
      this.painter.observe({ type: "element" });
    }
  }

  reset() {
    Object.assign(this, { blurs: 0, hidden: 0, device: null, ok: true, decode: null, next: null, shown: null });
    this.swapped = null;
    this.onhide = null;
  }

  /** The participant was elsewhere for a while, without leaving the page. */
  away() {
    this.leave();
    this.come();
  }

  /** These faces were put on the page in the frame that began at this moment. */
  swap(faces, at) {
    const times = faces.map(({ ms }) => ms);
    this.decode = times.includes(null) ? null : Math.max(...times);
    this.ok &&= faces.every(({ ok }) => ok);
    this.swapped = { at, images: faces.map(({ image }) => image), paint: null };
  }

  /** The next frame after the swap has come. */
  presented(onset) {
    this.next = onset - this.swapped.at;
    this.ok &&= !this.blurs && this.next < LATE_MS;
  }

  painted({ element, renderTime }) {
    const { swapped } = this;
    if (!renderTime || !swapped?.images.includes(element)) return;
    swapped.paint = Math.max(swapped.paint ?? 0, renderTime - swapped.at);
  }

  /** Time the frames of the next moments. */
  sample(ms = SAMPLE_MS) {
    this.until = Math.max(this.until ?? 0, performance.now() + ms);
    if (this.sampling) return;
    this.sampling = true;
    this.last = null;
    requestAnimationFrame((now) => this.tick(now));
  }

  tick(now) {
    if (this.last !== null) this.interval(now - this.last);
    this.last = now;
    this.sampling = now < this.until && !this.closed;
    if (this.sampling) requestAnimationFrame((next) => this.tick(next));
  }

  /** Welford's running mean and sum of squares, which a reload continues. */
  interval(ms) {
    const { frames } = this;
    frames.n += 1;
    const off = ms - frames.mean;
    frames.mean += off / frames.n;
    frames.squares += off * (ms - frames.mean);
    this.recent.push(ms);
    if (this.recent.length > 61) this.recent.shift();
  }

  /** The usual time between two frames of this screen. */
  get period() {
    if (this.recent.length < 5) return 1000 / 60;
    return [...this.recent].sort((a, b) => a - b)[this.recent.length >> 1];
  }

  evidence(app) {
    const { n, squares } = this.frames;
    this.store.write("frames", this.frames);
    return {
      onset_ok: this.ok,
      decode_ms: this.decode,
      paint_ms: this.swapped?.paint ?? this.next,
      shown_ms: this.shown,
      frame_sd_ms: n > 1 ? Math.sqrt(squares / (n - 1)) : null,
      blur_count: this.blurs,
      hidden_count: this.hidden,
      input_device: this.device,
      viewport: `${innerWidth}x${innerHeight}@${devicePixelRatio}`,
      app,
    };
  }

  destroy() {
    this.closed = true;
    this.painter?.disconnect();
    document.removeEventListener("visibilitychange", this.turn);
    window.removeEventListener("blur", this.leave);
    window.removeEventListener("focus", this.come);
  }
}
