/**
 * The picture: Plotly's scene, the canvas layer over it and the player, drawn frame by frame. One
 * stage shows one run; it draws only while something moves.
 *
 * @typedef {import("./protocol.js").Frame} Frame
 */
import { Scene } from "./scene.js";
import { Layer } from "./layer.js";
import { Player } from "./player.js";
import { markerSize } from "./figure.js";
import { admissibleRadius, pretendedAngle } from "./formula.js";
import { angleBetween } from "./store.js";
import { cap } from "./shapes.js";
import { classColor } from "./palette.js";
import * as adorn from "./adornments.js";

/** How long the picture must stand still before Plotly takes the points, ms. */
const REST = 250;
/** Live training is drawn this often, ms: twice as often as snapshots come. The rest of the machine trains. */
const PACE = 31;
const STEERED_PACE = 60;
const EARLY = 4;

export class Stage {
  /**
   * @param {{plot: HTMLElement, canvas: HTMLCanvasElement}} hosts
   * @param {any} run the run's description @param {number} member
   * @param {import("./store.js").FrameStore} store
   * @param {{colors: any, project: boolean, still: boolean, titles: Record<string, string>}} look
   * @param {import("./metrics.js").Metrics} metrics
   * @param {{shown: (frame: Frame) => void, drawn: (stage: Stage) => void}} hooks
   */
  constructor(hosts, run, member, store, look, metrics, hooks) {
    this.run = { ...run, labels: run.labels, heldOut: run.held_out ?? null };
    this.hosts = hosts;
    this.member = member;
    this.metrics = metrics;
    this.hooks = hooks;
    this.colors = look.colors;
    this.spherical = run.members[member].spherical;
    this.project = look.project;
    /** @type {import("./formula.js").Margin} */
    this.margin = { m1: 1, m2: 0, m3: 0 };
    this.caps = false;
    this.busy = false;
    /** @type {number|null} the sample under the pointer */
    this.focus = null;
    const shape = { points: run.points, classes: run.class_names.length, dim: run.dim, member };
    this.player = new Player(store, shape, (frame) => hooks.shown(frame));
    this.player.flat = this.spherical;
    this.player.project = !this.spherical && look.project;
    this.player.still = look.still;
    this.layer = new Layer(hosts.canvas, this.run);
    const sceneLook = { colors: look.colors, flat: this.flat, titles: look.titles };
    this.scene = new Scene(hosts.plot, this.run, sceneLook, {
      changed: (/** @type {boolean|undefined} */ now) => (now ? this.draw() : this.invalidate()),
      capture: () => this.capture(),
      png: () => this.png(),
    });
    this.lastMotion = 0;
    this.due = 0;
    this.steeredUntil = 0;
    /** @type {number|undefined} how large the sphere was at first, as a share of the width */
    this.firstShare = undefined;
    this.resize();
  }

  /** Whether what is shown lies on the circle or sphere. */
  get flat() {
    return this.spherical || this.project;
  }

  async start() {
    await this.scene.draw();
    this.metrics.plotlyNewPlots += this.scene.plots;
    this.invalidate();
  }

  invalidate() {
    this.dirty = true;
    this.#schedule();
  }

  #schedule() {
    if (this.disposed || this.handle) return;
    this.handle = requestAnimationFrame((now) => this.#tick(now));
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
      this.#schedule();
      return;
    }
    this.due = Math.max(this.due + (steered ? STEERED_PACE : PACE), now);
    const moved = this.player.advance(now);
    if (moved) {
      this.lastMotion = now;
      this.scene.letGo();
      this.metrics.frames += 1;
      this.metrics.push(this.metrics.frameTimes, now);
    }
    if (moved || this.dirty) this.draw();
    const moving = !this.player.reached || this.player.mode === "replay";
    if (moving) this.#schedule();
    else this.#restLater();
  }

  /** Once nothing has moved for a while, Plotly takes the points. */
  #restLater() {
    if (this.busy || this.scene.holdsPoints || this.restTimer) return;
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
    this.layer.clear();
    if (!this.#paint(this.layer)) return;
    this.metrics.push(this.metrics.drawCost, performance.now() - began);
    this.hooks.drawn(this);
  }

  /** The whole picture as a file, just as it is on screen and twice as fine. @returns {Promise<Blob|null>} */
  async png() {
    await this.scene.letGo();
    const canvas = document.createElement("canvas");
    const layer = new Layer(canvas, this.run);
    layer.resize(this.layer.width, this.layer.height, 2);
    layer.context.setTransform(1, 0, 0, 1, 0, 0);
    layer.context.fillStyle = backgroundBehind(this.hosts.plot);
    layer.context.fillRect(0, 0, canvas.width, canvas.height);
    layer.context.setTransform(2, 0, 0, 2, 0, 0);
    this.#paint(layer);
    this.draw();
    this.#restLater();
    return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  }

  /** @param {Layer} layer @returns {boolean} whether there is a picture yet */
  #paint(layer) {
    const projection = this.scene.projection();
    if (projection) this.scene.backdrop(layer.context, projection);
    if (!projection || !this.player.frame) return false;
    const { picture } = this.player;
    layer.setMarker(this.#markerSize(projection));
    layer.project(projection, picture.points);
    const drawing = this.#drawing(projection, layer.context);
    if (this.flat && projection.dim === 3) adorn.drawOutline(drawing);
    if (!this.flat) adorn.drawRings(drawing, picture.radius);
    else if (this.caps) adorn.drawCaps(drawing, this.radius(), this.run.packing_angle);
    if (projection.dim === 2) adorn.drawArrows(drawing);
    if (!this.scene.holdsPoints) layer.drawPoints(projection.dim === 3 && !this.flat);
    if (projection.dim === 3) adorn.drawArrows(drawing);
    adorn.drawLabels(drawing);
    this.#drawFocus(drawing);
    return true;
  }

  /** Plotly's 3-D markers grow with the zoom. @param {import("./project.js").Projection} projection */
  #markerSize(projection) {
    const { width } = this.layer;
    const size = markerSize(width);
    if (projection.dim === 2) return size;
    const share = projection.scale / width;
    this.firstShare ??= share;
    return Math.round(2 * size * Math.min(6, share / this.firstShare)) / 2;
  }

  /** @param {import("./project.js").Projection} projection @param {CanvasRenderingContext2D} context */
  #drawing(projection, context) {
    const { width } = this.layer;
    return {
      context,
      projection,
      prototypes: this.player.picture.prototypes,
      names: this.run.class_names,
      colors: this.colors,
      flat: this.flat,
      size: width,
      font: Math.round(Math.min(20, Math.max(12, width / 38))),
    };
  }

  /** @param {import("./adornments.js").Drawing} drawing */
  #drawFocus(drawing) {
    const i = this.focus;
    if (i === null || this.layer.hidden[i]) return;
    const { dim, labels, members } = this.run;
    const label = labels[i];
    if (this.flat && label < drawing.names.length) {
      const { points, prototypes } = this.player.picture;
      const angle = angleBetween(points, i, prototypes, label, dim);
      const { tail } = members[this.member];
      const pretended = this.caps ? pretendedAngle(angle, this.margin, tail) : 0;
      const sample = [...points.subarray(i * dim, (i + 1) * dim)];
      adorn.drawMarginArc(drawing, sample, label, angle, pretended);
    }
    adorn.drawFocus(drawing, this.layer.xy[2 * i], this.layer.xy[2 * i + 1], this.layer.marker + 2);
  }

  /** Admissible radius of the margin set, radians; 0 if it does not fit. */
  radius() {
    return admissibleRadius(this.margin, this.run.packing_angle);
  }

  resize() {
    const { width, height } = this.scene.size();
    if (!width || !height) return;
    this.layer.resize(width, height);
    this.scene.resize();
  }

  /** @param {any} colors */
  recolor(colors) {
    this.colors = colors;
    this.scene.restyle({ colors });
    this.invalidate();
  }

  /** Put open space onto the circle or sphere, or take it off. @param {boolean} project */
  setProject(project) {
    this.project = project;
    this.player.project = !this.spherical && project;
    this.scene.restyle({ flat: this.flat });
    this.player.refresh(performance.now());
    this.invalidate();
  }

  /** What a picture file should hold. */
  capture() {
    const { dim, class_names: names } = this.run;
    const { points, prototypes } = this.player.picture;
    const radius = this.caps && this.flat ? this.radius() : 0;
    const caps = radius
      ? names.map((/** @type {string} */ _, /** @type {number} */ c) => ({
          color: classColor(c),
          points: cap([...prototypes.subarray(c * dim, (c + 1) * dim)], radius, dim === 2 ? 1.06 : 1.002),
        }))
      : [];
    const projection = this.scene.projection();
    const seen = names.map((/** @type {string} */ _, /** @type {number} */ c) => {
      const [x, y, z] = prototypes.subarray(c * dim, (c + 1) * dim);
      return !projection?.hidden(x * adorn.TIP, y * adorn.TIP, (z ?? 0) * adorn.TIP);
    });
    return { points, prototypes, names, seen, caps, ink: this.colors.ink };
  }

  dispose() {
    this.disposed = true;
    cancelAnimationFrame(this.handle ?? 0);
    clearTimeout(this.restTimer);
    this.scene.dispose();
    this.layer.clear();
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
