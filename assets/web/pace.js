/** How often something is done: at most every so many ms, and at the end with the newest wish. */
export class Pace {
  /** @param {number} every ms @param {(...wish: any[]) => void} act */
  constructor(every, act) {
    this.every = every;
    this.act = act;
    this.last = -1e9;
  }

  /** Now if it is time, else when it is. @param {...any} wish */
  ask(...wish) {
    clearTimeout(this.timer);
    const wait = this.last + this.every - performance.now();
    if (wait > 0) {
      this.timer = setTimeout(() => this.ask(...wish), wait + 5);
      return;
    }
    this.last = performance.now();
    this.act(...wish);
  }

  stop() {
    clearTimeout(this.timer);
  }
}
