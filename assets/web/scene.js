/**
 * What Plotly owns: circle or sphere, axes, camera, zoom, the samples at rest, pictures to take
 * away. Static parts are drawn once; the camera is never set again, and nothing is written while
 * the user drags. Knows Plotly; knows no network, no time.
 *
 * @typedef {import("./project.js").Projection} Projection
 */
import { cameraProjection, planeProjection } from "./project.js";
import { RANGE, exportFigure, frameTraces, layoutFor, sampleTrace } from "./figure.js";
import { copyDrawn, drawLine } from "./backdrop.js";

/* global Plotly */
/** @type {any} */
const plotly = () => /** @type {any} */ (globalThis).Plotly;

/** @type {boolean|undefined} */
let found;

/** Whether this browser draws in three dimensions at all; it may have been told not to. */
export function hasWebGL() {
  found ??= document.createElement("canvas").getContext("webgl") !== null;
  return found;
}

export class Scene {
  /**
   * @param {HTMLElement} host
   * @param {{dim: number, labels: number[], heldOut: number[]|null}} run
   * @param {{colors: any, flat: boolean, titles: Record<string, string>}} look
   * @param {{changed: (now?: boolean) => void, capture: () => any, png: () => Promise<Blob|null>}} hooks
   */
  constructor(host, run, look, hooks) {
    this.host = host;
    this.run = run;
    this.look = look;
    this.hooks = hooks;
    this.ready = false;
    this.dragging = false;
    this.holdsPoints = false;
    host.classList.add("fv-moving");
    this.plots = 0;
    /** The last picture of the sphere. @type {HTMLCanvasElement|undefined} */
    this.shot = undefined;
    /** @type {string|undefined} */
    this.cameraKey = undefined;
    this.wanted = null;
    host.addEventListener("pointerdown", this.#down, true);
    window.addEventListener("pointerup", this.#up, true);
    window.addEventListener("pointercancel", this.#up, true);
    host.addEventListener("wheel", this.#wheel, { capture: true, passive: false });
  }

  #down = () => {
    this.dragging = true;
  };

  #up = () => {
    if (!this.dragging) return;
    this.dragging = false;
    // Plotly finishes its own drag first.
    setTimeout(() => this.hooks.changed(), 60);
  };

  /** The wheel scrolls the page; with Ctrl (or a pinch) it zooms the scene. @param {WheelEvent} event */
  #wheel = (event) => {
    if (!event.ctrlKey && !event.metaKey) event.stopPropagation();
    else event.preventDefault();
  };

  /** Draw the static parts; once. */
  async draw() {
    const { dim } = this.run;
    const traces = [...frameTraces(dim, this.look), sampleTrace(dim, this.run, this.size(), this.look.colors.halo)];
    this.samples = traces.length - 1;
    await plotly().newPlot(this.host, traces, layoutFor(dim), this.#config());
    this.plots += 1;
    this.ready = true;
    this.firstCamera = undefined;
    this.firstCamera = this.camera();
    const gd = /** @type {any} */ (this.host);
    gd.on("plotly_relayouting", this.hooks.changed);
    gd.on("plotly_relayout", this.hooks.changed);
    if (dim === 3) this.#followCamera();
    if (this.wantedCamera) await this.setCamera(this.wantedCamera);
    this.hooks.changed();
  }

  /** Where the camera stands, as a link writes it; "" where it was never moved. @returns {string} */
  camera() {
    if (!this.ready) return this.wantedCamera ?? "";
    const layout = /** @type {any} */ (this.host)._fullLayout;
    const scene = this.run.dim === 3 ? this.#gl() : null;
    const numbers = scene ? ofScene(scene) : [...layout.xaxis.range, ...layout.yaxis.range];
    const text = numbers.map((value) => Number(value.toFixed(3))).join("_");
    return text === this.firstCamera ? "" : text;
  }

  /** Put it where a link says; what is no camera is left out. @param {string} text */
  async setCamera(text) {
    const numbers = text.split("_").map(Number);
    if (numbers.length !== (this.run.dim === 3 ? 7 : 4) || !numbers.every((value) => Math.abs(value) < 1000)) return;
    this.wantedCamera = text;
    if (!this.ready) return;
    this.wantedCamera = undefined;
    const [a, b, c, d, e, f, zoom] = numbers;
    const at = (/** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ z) => ({ x, y, z });
    const wish = this.run.dim === 3
      ? { "scene.camera.eye": at(a, b, c), "scene.camera.up": at(d, e, f), "scene.aspectratio": at(zoom, zoom, zoom) }
      : { "xaxis.range": [a, b], "yaxis.range": [c, d] };
    await plotly().relayout(this.host, wish);
  }

  /** Have the layer drawn in the very frame in which Plotly draws its scene. */
  #followCamera() {
    const plot = this.#gl()?.glplot;
    if (!plot) return;
    const before = plot.onrender;
    plot.onrender = () => {
      if (before) before();
      // It is called before Plotly draws; what it draws may be read in this task only.
      queueMicrotask(() => this.#copy(plot));
      const { view, projection } = plot.cameraParams;
      const key = `${view.join()}|${projection.join()}|${plot.shape.join()}`;
      if (key !== this.cameraKey) {
        this.cameraKey = key;
        this.hooks.changed(true);
      }
    };
    plot.redraw();
  }

  /** Keep what WebGL has just drawn. @param {any} plot */
  #copy({ gl }) {
    if (this.disposed || this.holdsPoints) return;
    this.shot ??= document.createElement("canvas");
    copyDrawn(gl, this.shot);
    this.hooks.changed();
  }

  /**
   * Circle or sphere, drawn under the samples in motion. Plotly's own is see-through meanwhile: one
   * picture instead of two on top of each other is a third of the work where compositing is in software.
   * @param {CanvasRenderingContext2D} context @param {Projection} projection @param {boolean} flat
   */
  backdrop(context, projection, flat) {
    if (this.holdsPoints) return;
    const { width, height } = this.size();
    // Plotly's picture is of the sphere wherever one is shown; open space is drawn beside it.
    if (projection.dim === 3 && flat === this.look.flat) {
      if (this.shot) context.drawImage(this.shot, 0, 0, width, height);
      return;
    }
    for (const trace of frameTraces(projection.dim, { ...this.look, flat })) {
      if (trace.visible && trace.line) drawLine(context, projection, trace);
    }
  }

  #gl() {
    return /** @type {any} */ (this.host)._fullLayout?.scene?._scene;
  }

  size() {
    return { width: this.host.clientWidth, height: this.host.clientHeight };
  }

  /** @param {boolean} [flat] whether the sphere hides what is behind it @returns {Projection|null} */
  projection(flat = this.look.flat) {
    const { width, height } = this.size();
    if (this.run.dim === 3) {
      const scene = this.ready && this.#gl();
      if (!scene) return null;
      return cameraProjection(scene.glplot.cameraParams, scene.dataScale, width, height, flat);
    }
    const layout = /** @type {any} */ (this.host)._fullLayout;
    if (!this.ready || !layout?.xaxis?._length) {
      return planeProjection(RANGE, RANGE, { left: 0, top: 0, width, height });
    }
    const { xaxis, yaxis } = layout;
    const box = { left: xaxis._offset, top: yaxis._offset, width: xaxis._length, height: yaxis._length };
    return planeProjection(xaxis.range, yaxis.range, box);
  }

  /** Something moves: the layer draws the points now, unless Plotly's scene is being dragged. */
  async letGo() {
    if (!this.holdsPoints || (this.run.dim === 3 && this.dragging)) return;
    this.holdsPoints = false;
    this.host.classList.add("fv-moving"); // without asking Plotly: 0 ms
    if (this.run.dim === 2) return;
    await plotly().restyle(this.host, { visible: false }, [this.samples]);
    this.#gl()?.glplot.redraw();
    await null; // the copy of what was drawn is made at the end of this task
  }

  /** At rest: Plotly holds the points. @param {Float32Array} points */
  async hold(points) {
    if (!this.ready || this.dragging || this.holdsPoints || this.busy) return;
    this.busy = true;
    const { dim } = this.run;
    const axes = ["x", "y", "z"].slice(0, dim);
    /** @type {Record<string, any>} */
    const update = { visible: true };
    axes.forEach((axis, d) => {
      update[axis] = [Float32Array.from({ length: points.length / dim }, (_, i) => points[i * dim + d])];
    });
    await plotly().restyle(this.host, update, [this.samples]);
    this.busy = false;
    this.holdsPoints = true;
    this.host.classList.remove("fv-moving");
    this.hooks.changed();
  }

  /** Recolour or change between sphere and space, without touching the camera. @param {any} look */
  async restyle(look) {
    this.look = { ...this.look, ...look };
    if (!this.ready) return;
    const traces = frameTraces(this.run.dim, this.look);
    for (const [index, trace] of traces.entries()) {
      const update = { visible: trace.visible };
      if (trace.line) Object.assign(update, { "line.color": trace.line.color });
      if (trace.colorscale) Object.assign(update, { colorscale: [trace.colorscale] });
      await plotly().restyle(this.host, update, [index]);
    }
    const { marker } = sampleTrace(this.run.dim, this.run, this.size(), this.look.colors.halo);
    await plotly().restyle(this.host, { "marker.color": [marker.color] }, [this.samples]);
    this.hooks.changed();
  }

  async resize() {
    if (this.ready && !this.dragging) await plotly().Plots.resize(this.host);
    this.hooks.changed();
  }

  #config() {
    const { titles } = this.look;
    const icons = plotly().Icons;
    const take = (/** @type {string} */ format) => () => this.takeAway(format);
    const home = this.run.dim === 3 ? ["resetCameraDefault3d"] : ["zoomIn2d", "zoomOut2d", "resetScale2d"];
    return {
      displaylogo: false,
      responsive: false,
      scrollZoom: true,
      doubleClick: "reset",
      displayModeBar: true,
      plotGlPixelRatio: Math.max(1, Math.min(2, window.devicePixelRatio || 1)),
      modeBarButtons: [
        [
          { name: "png", title: titles.png, icon: icons.camera, click: take("png") },
          { name: "svg", title: titles.svg, icon: icons.disk, click: take("svg") },
        ],
        home,
      ],
    };
  }

  /** Save everything shown, arrows and caps too, as a picture. @param {string} format */
  async takeAway(format) {
    if (format === "png") {
      const blob = await this.hooks.png();
      if (blob) download(blob, "facevis.png");
      return;
    }
    const scene = this.run.dim === 3 ? this.#gl() : null;
    const camera = scene && { camera: scene.getCamera(), aspectratio: scene.glplot.getAspectratio() };
    const figure = exportFigure(this.run, this.look, this.hooks.capture(), camera);
    const side = 1000;
    await plotly().downloadImage(figure, { format, width: side, height: side, filename: "facevis" });
  }

  dispose() {
    window.removeEventListener("pointerup", this.#up, true);
    window.removeEventListener("pointercancel", this.#up, true);
    if (this.ready) plotly().purge(this.host);
    this.ready = false;
    this.disposed = true;
  }
}

/** Eye, up and zoom. @param {any} scene Plotly's @returns {number[]} */
function ofScene(scene) {
  const { eye, up } = scene.getCamera();
  return [eye.x, eye.y, eye.z, up.x, up.y, up.z, scene.glplot.getAspectratio().x];
}

/** @param {Blob} blob @param {string} name */
function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
