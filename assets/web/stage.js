/**
 * The pictures on screen: Plotly's scene, and over it one canvas and one player for each member
 * shown. All of them share the camera, the moment and the sample under the pointer. A stage shows
 * one run; it draws only while something moves.
 *
 * @typedef {import("./protocol.js").Frame} Frame
 */
import { Scene } from "./scene.js";
import { Layer } from "./layer.js";
import { Cell } from "./cell.js";

/** How long the picture must stand still before Plotly takes the points, ms. */
const REST = 250;
/** Live training is drawn this often, ms: twice as often as snapshots come. The rest of the machine trains. */
const PACE = 31;
/** The same with several members, or for one of many who watch: as often as snapshots come. */
const CALM_PACE = 62;
/** Of a sweep, whose models are many and whose snapshots are few. The hand on the slider does not wait for it. */
const SWEEP_PACE = 120;
const STEERED_PACE = 60;
const EARLY = 4;

export class Stage {
  /**
   * @param {{plot: HTMLElement, canvases: HTMLCanvasElement[]}} hosts
   * @param {any} run the run's description @param {number[]} members one for each canvas
   * @param {import("./store.js").FrameStore} store
   * @param {{colors: any, project: boolean, still: boolean, calm: boolean, titles: Record<string, string>}} look
   * @param {import("./metrics.js").Metrics} metrics
   * @param {{shown: (frame: Frame) => void, drawn: (stage: Stage) => void}} hooks
   */
  constructor(hosts, run, members, store, look, metrics, hooks) {
    this.run = { ...run, heldOut: run.held_out ?? null };
    this.hosts = hosts;
    this.metrics = metrics;
    this.hooks = hooks;
    this.busy = false;
    /** @type {number|null} the sample under the pointer */
    this.focus = null;
    /** @type {import("./hover.js").Hover|null} whose click holds it */
    this.pinnedBy = null;
    this.cells = members.map((member, place) =>
      new Cell(hosts.canvases[place], this.run, member, store, look, place < members.length - 1 ? () => {} : (frame) => hooks.shown(frame)));
    this.pace = members.length > 1 || look.calm ? CALM_PACE : run.members.length > 1 ? SWEEP_PACE : PACE;
    for (const { player } of this.cells) Object.assign(player, { pace: this.pace, calm: look.calm });
    const sceneLook = { colors: look.colors, flat: this.flat, titles: look.titles };
    this.scene = new Scene(hosts.plot, this.run, sceneLook, {
      changed: (/** @type {boolean|undefined} */ now) => (now ? this.draw() : this.invalidate()),
      capture: () => this.here.capture(this.scene),
      png: () => this.png(),
    });
    /** @type {Cell} the one under the pointer: its picture is the one to take away */
    this.here = this.cells[0];
    this.lastMotion = 0;
    this.due = 0;
    this.steeredUntil = 0;
    this.resize();
  }

  /** The first player: all cells show the same moment. */
  get player() {
    return this.cells[0].player;
  }

  /** Whether anything shown lies on the circle or sphere. */
  get flat() {
    return this.cells.some((cell) => cell.flat);
  }

  async start() {
    await this.scene.draw();
    this.metrics.plotlyNewPlots += this.scene.plots;
    this.invalidate();
  }

  /** The same wish to every player. @param {(player: import("./player.js").Player) => void} wish */
  play(wish) {
    for (const { player } of this.cells) wish(player);
  }

  invalidate() {
    this.dirty = true;
    this.#schedule();
  }

  /** @param {number} [wait] ms until a picture is due: a frame asked for and not used costs the browser as much as one that is */
  #schedule(wait = 0) {
    if (this.disposed || this.handle) return;
    clearTimeout(this.waiting);
    if (wait > EARLY) this.waiting = setTimeout(() => this.#schedule(), wait - EARLY);
    else this.handle = requestAnimationFrame((now) => this.#tick(now));
  }

  /** A slider is under the hand: its curves come first, the points keep to the pace of the snapshots. */
  makeWay() {
    this.steeredUntil = performance.now() + 300;
  }

  /** New points are on their way: move when it is time to. */
  wake() {
    this.#schedule();
  }

  /** @param {number} now */
  #tick(now) {
    this.handle = 0;
    const steered = this.busy && now < this.steeredUntil;
    if (this.player.mode === "live" && (steered || !this.dirty) && now < this.due - EARLY) {
      this.#schedule(this.due - now);
      return;
    }
    this.due = Math.max(this.due + (steered ? STEERED_PACE : this.pace), now);
    const moved = this.cells.map(({ player }) => player.advance(now)).some(Boolean);
    if (moved) {
      this.lastMotion = now;
      this.scene.letGo();
      this.metrics.frames += 1;
      this.metrics.push(this.metrics.frameTimes, now);
    }
    if (moved || this.dirty) this.draw();
    const moving = this.cells.some(({ player }) => !player.reached || player.mode === "replay");
    if (moving) this.#schedule(this.player.mode === "live" ? this.due - now : 0);
    else this.#restLater();
  }

  /** Once nothing has moved for a while, Plotly takes the points; of several members it takes none. */
  #restLater() {
    if (this.cells.length > 1 || this.partial || this.busy || this.scene.holdsPoints || this.restTimer) return;
    this.restTimer = setTimeout(() => {
      this.restTimer = undefined;
      if (this.disposed || this.busy || !this.player.frame) return;
      const quiet = performance.now() - this.lastMotion >= REST && this.player.reached;
      if (quiet) this.scene.hold(this.player.picture.points);
      if (!quiet || this.scene.dragging) this.#restLater();
    }, REST);
  }

  draw() {
    this.dirty = false;
    if (this.disposed) return;
    const began = performance.now();
    for (const cell of this.cells) {
      cell.layer.clear();
      if (!cell.paint(cell.layer, this.scene, this.focus)) return;
    }
    this.metrics.push(this.metrics.drawCost, performance.now() - began);
    this.hooks.drawn(this);
  }

  /** Only some samples are drawn; Plotly, which would draw all, takes none. @param {(sample: number) => boolean} wanted */
  only(wanted) {
    const absent = Uint8Array.from(this.run.labels, (_, i) => (wanted(i) ? 0 : 1));
    for (const { layer } of this.cells) layer.absent = absent;
    this.partial = true;
    this.scene.letGo();
    this.invalidate();
  }

  /** The whole picture as a file, just as it is on screen and twice as fine. @returns {Promise<Blob|null>} */
  async png() {
    await this.scene.letGo();
    const cell = this.here;
    const canvas = document.createElement("canvas");
    const layer = new Layer(canvas, this.run);
    layer.absent = cell.layer.absent;
    layer.resize(cell.layer.width, cell.layer.height, 2);
    layer.context.setTransform(1, 0, 0, 1, 0, 0);
    layer.context.fillStyle = backgroundBehind(this.hosts.plot);
    layer.context.fillRect(0, 0, canvas.width, canvas.height);
    layer.context.setTransform(2, 0, 0, 2, 0, 0);
    cell.paint(layer, this.scene, this.focus);
    this.draw();
    this.#restLater();
    return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  }

  resize() {
    const { width, height } = this.scene.size();
    if (!width || !height) return;
    for (const { layer } of this.cells) layer.resize(width, height);
    this.scene.resize();
  }

  /** @param {any} colors */
  recolor(colors) {
    for (const cell of this.cells) cell.colors = colors;
    this.scene.restyle({ colors });
    this.invalidate();
  }

  /** Put open space onto the circle or sphere, or take it off. @param {boolean} project */
  setProject(project) {
    for (const cell of this.cells) cell.setProject(project);
    this.scene.restyle({ flat: this.flat });
    this.invalidate();
  }

  dispose() {
    this.disposed = true;
    cancelAnimationFrame(this.handle ?? 0);
    clearTimeout(this.waiting);
    clearTimeout(this.restTimer);
    this.scene.dispose();
    for (const { layer } of this.cells) layer.clear();
  }
}

/** The colour that shows through an element. @param {Element|null} element */
function backgroundBehind(element) {
  for (let at = element; at; at = at.parentElement) {
    const { backgroundColor } = getComputedStyle(at);
    if (!/transparent|, 0\)/.test(backgroundColor)) return backgroundColor;
  }
  return "#fff";
}
