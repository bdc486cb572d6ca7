/** How the browser presented the trial that is on screen. */
class Watch {
  constructor() {
    this.reset();
    this.gone = false;
    // Leaving a tab both hides and blurs it: that is one absence.
    this.leave = () => {
      if (!this.gone) this.blurs += 1;
      this.gone = true;
    };
    this.come = () => (this.gone = false);
    this.turn = () => (document.visibilityState === "hidden" ? this.leave() : this.come());
    document.addEventListener("visibilitychange", this.turn);
    window.addEventListener("blur", this.leave);
    window.addEventListener("focus", this.come);
  }

  reset() {
    Object.assign(this, { blurs: 0, device: null, ok: true, decode: null });
  }

  evidence() {
    return {
      onset_ok: this.ok,
      decode_ms: this.decode,
      blur_count: this.blurs,
      input_device: this.device,
      viewport: `${innerWidth}x${innerHeight}@${devicePixelRatio}`,
    };
  }

  destroy() {
    document.removeEventListener("visibilitychange", this.turn);
    window.removeEventListener("blur", this.leave);
    window.removeEventListener("focus", this.come);
  }
}
