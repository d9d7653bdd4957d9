/**
 * The whole live view: builds the page's parts, listens to the stream and to the hand, and passes
 * each to the part that needs it. Kept alive across all updates of the page.
 *
 * @typedef {import("./live.js").Component} Component
 */
import { Connection } from "./connection.js";
import { decodeFrame } from "./protocol.js";
import { FrameStore } from "./store.js";
import { Metrics, publish, withdraw } from "./metrics.js";
import { Driver } from "./driver.js";
import { Stage } from "./stage.js";
import { Panel } from "./panel.js";
import { Transport } from "./transport.js";
import { Hover } from "./hover.js";
import { Skeleton } from "./skeleton.js";
import { listenToKeys } from "./keys.js";
import { wordsFrom } from "./words.js";

/** How often charts and scrub bar are told, ms. */
const HISTORY_EVERY = 100;
/** How long after a slider was let go the page hears of it, ms: a key may be pressed again. */
const RELEASED = 150;

export class View {
  /** @param {HTMLElement} parent @param {(base: string) => Promise<void>} loadPlotly */
  constructor(parent, loadPlotly) {
    this.parent = parent;
    this.loadPlotly = loadPlotly;
    this.metrics = new Metrics();
    this.store = new FrameStore();
    this.still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.status = { state: "paused", step: 0, steps: 0, steps_per_second: 0, message: null };
    this.driver = new Driver(this);
    /** @type {string|undefined} what the parts made of words were built for */
    this.look = undefined;
    publish(this.metrics);
  }

  /** New data from the page. @param {Component} component */
  update(component) {
    const { data } = component;
    this.component = component;
    const before = this.data;
    this.data = data;
    this.words = wordsFrom(data.strings, data.lang);
    if (!before) this.#build();
    const look = JSON.stringify([data.lang, data.controls, data.ranges]);
    if (before && look !== this.look) this.#rebuildParts();
    this.look = look;
    this.#retheme();
    if (this.token !== data.token) this.#connect();
    else if (this.wishedProject !== data.project_to_circle) this.#project(data.project_to_circle);
    // Of presses in quick succession the page may have taken an earlier one.
    else if (before && !this.#pageKnows()) this.#tellPage(1000);
    this.token = data.token;
    this.wishedProject = data.project_to_circle;
  }

  #build() {
    this.metrics.mounts += 1;
    this.skeleton = new Skeleton(this.parent);
    this.#rebuildParts();
    this.resizes = new ResizeObserver(() => this.#resize());
    this.resizes.observe(this.skeleton.root);
    this.stopKeys = listenToKeys(this.skeleton.root, {
      toggle: () => this.driver.toggle(),
      rewind: () => this.driver.rewind(),
      release: () => this.hover?.release(),
    });
    // A page that was left must not keep a run alive.
    this.watch = setInterval(() => {
      if (!this.parent.isConnected) this.dispose();
    }, 3000);
  }

  /** The parts made of words. */
  #rebuildParts() {
    const { skeleton, data, words } = this;
    const values = this.panel?.values();
    this.panel?.dispose();
    this.panel = new Panel(skeleton.panel, { words, data }, {
      input: (stamp) => this.#steer(stamp),
      release: () => this.#tellPage(RELEASED),
    });
    this.transport = new Transport(skeleton.transport, words, {
      toggle: () => this.driver.toggle(),
      rewind: () => this.driver.rewind(),
      step: () => this.driver.step(),
      reseed: () => this.component.setTriggerValue("reseed", Date.now() % 2 ** 31),
      replay: () => this.driver.replay(),
      speed: (/** @type {any} */ name, /** @type {number|null} */ rate) => this.driver.setSpeed(name, rate),
      seek: (/** @type {number} */ index) => this.driver.seek(index),
      project: (/** @type {boolean} */ on) => this.#project(on),
    });
    if (!this.run) return;
    this.#introduce(values);
    if (this.stage?.player.frame) this.#shown(this.stage.player.frame);
  }

  #retheme() {
    const { theme, view } = this.data;
    this.skeleton.setLook(theme, view);
    if (theme === this.theme) return;
    this.theme = theme;
    this.skeleton.styled.then(() => {
      this.colors = this.skeleton.colors();
      this.stage?.recolor(this.colors);
      this.panel.redraw();
    });
  }

  #connect() {
    this.connection?.close();
    this.stage?.dispose();
    this.hover?.dispose();
    this.stage = this.hover = this.run = undefined;
    this.store.clear();
    this.asked = new Map();
    this.driver.untouched = true;
    this.skeleton.say(this.words("waiting"), "quiet");
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const url = `${scheme}://${location.host}${this.data.base}/stream/${this.data.token}`;
    this.connection = new Connection(url, {
      message: (message) => this.#message(message),
      frame: (buffer) => this.#frame(buffer),
      lost: () => this.skeleton.say(this.words("lost"), "warn"),
    });
  }

  /** @param {any} message */
  #message(message) {
    const { type } = message;
    if (type === "run") this.#begin(message);
    else if (type === "status") this.#setStatus(message);
    else if (type === "reset") this.#reset();
    else if (type === "gone") this.skeleton.say(this.words("gone"), "warn");
    else if (type === "error") this.skeleton.say(message.message, "warn", 5000);
  }

  /** The run's description: at the start, and again after every reconnection. @param {any} run */
  #begin(run) {
    this.skeleton.say("");
    this.store.clear();
    const known = this.run;
    this.run = run;
    this.status = { ...run };
    const same = known && known.dim === run.dim && known.points === run.points;
    if (!same) this.#raise();
    if (!same) this.#introduce();
    this.#setStatus(run);
  }

  /** A stage for a new run. */
  async #raise() {
    const { skeleton, run, words, data } = this;
    this.stage?.dispose();
    await skeleton.styled;
    this.colors = skeleton.colors();
    const look = {
      colors: this.colors,
      project: data.project_to_circle,
      still: this.still,
      titles: { png: words("png"), svg: words("svg") },
    };
    const member = data.member ?? 0;
    const stage = new Stage(skeleton.hosts(), run, member, this.store, look, this.metrics, {
      shown: (frame) => this.#shown(frame),
      drawn: () => this.hover?.follow(),
    });
    this.stage = stage;
    this.hover = new Hover(skeleton.stage, skeleton.tip, stage, words, data.lang);
    this.#applyMargin();
    this.#resize();
    if (this.store.newest) this.#take(this.store.newest);
    try {
      await this.loadPlotly(data.base);
      if (this.stage === stage) await stage.start();
    } catch (error) {
      console.error(error);
      skeleton.say(words("no_plotly"), "warn");
    }
  }

  /** Whether the page has the sliders' values, and with it the link. */
  #pageKnows() {
    const { margin, scale } = this.panel.steering();
    const known = this.data.steering;
    return !known || !this.panel.hasMargin() || [...margin, scale].every((value, i) => Math.abs(value - known[i]) < 1e-9);
  }

  /** The page hears of the last of several movements. @param {number} wait ms */
  #tellPage(wait) {
    clearTimeout(this.tellTimer);
    this.tellTimer = setTimeout(() => this.component.setStateValue("steering", this.panel.steering()), wait);
  }

  /** Tell panel and transport what run this is. @param {any} [values] margins kept from before */
  #introduce(values) {
    const { run, data, words } = this;
    const member = run.members[data.member ?? 0];
    const [m1, m2, m3] = member.margin;
    this.panel.introduce(run, member, values ?? { m1, m2, m3, s: member.scale });
    this.transport.introduce(run, member, data.project_to_circle);
    const open = member.spherical || data.project_to_circle ? "" : "open_";
    const classes = words("classes", { n: run.class_names.length });
    this.skeleton.describe(words(`scene_${open}${run.dim}`, { points: run.points, classes }));
  }

  /** @param {ArrayBuffer} buffer */
  #frame(buffer) {
    if (!this.run) return;
    const run = this.run;
    const { dim, points } = run;
    const shape = { members: run.members.length, classes: run.class_names.length, points, dim };
    const frame = decodeFrame(buffer, shape);
    this.metrics.snapshots += 1;
    this.metrics.bytes += buffer.byteLength;
    const newest = this.store.add(frame);
    if (this.stage && newest) this.#take(frame);
    this.history();
  }

  /** A frame that is the newest. @param {import("./protocol.js").Frame} frame */
  #take(frame) {
    const { stage } = this;
    if (!stage) return;
    const now = performance.now();
    if (this.driver.maySelfPlay() && stage.player.mode === "live") this.driver.selfPlay(now);
    else stage.player.follow(frame, now);
    stage.wake();
  }

  /** Charts and scrub bar, as often as can be read. */
  history() {
    if (this.historyTimer) return;
    const wait = Math.max(0, (this.lastHistory ?? 0) + HISTORY_EVERY - performance.now());
    this.historyTimer = setTimeout(() => {
      this.historyTimer = undefined;
      this.lastHistory = performance.now();
      const shown = this.stage?.player.frame ?? null;
      this.panel.history(this.store, shown, this.status);
      this.transport.show(this.store, shown, this.status, this.stage?.player);
    });
  }

  /** A snapshot is on screen. @param {import("./protocol.js").Frame} frame */
  #shown(frame) {
    const { metrics, stage } = this;
    if (stage.player.mode === "live") metrics.arrived(frame, this.asked);
    this.panel.picture(stage.player.picture, this.run, frame);
    this.history();
  }

  /** @param {any} status */
  #setStatus(status) {
    Object.assign(this.status, status);
    if (this.stage) {
      this.stage.busy = status.state === "training" && this.stage.player.mode === "live";
      this.stage.invalidate();
    }
    if (status.message) this.skeleton.say(status.message, "warn");
    this.history();
  }

  #reset() {
    this.store.clear();
    this.stage?.player.goLive(performance.now());
    this.history();
  }

  /** The hand moved a slider. @param {number} stamp when the event happened */
  #steer(stamp) {
    const { margin, scale } = this.panel.steering();
    this.stage?.makeWay();
    this.#applyMargin();
    this.driver.goLive();
    const id = this.connection.steer(this.data.member ?? 0, margin, scale);
    if (!this.asked.has(id)) this.asked.set(id, performance.now());
    this.metrics.timeToPaint(stamp);
  }

  #applyMargin() {
    if (!this.stage) return;
    const { m1, m2, m3 } = this.panel.values();
    this.stage.margin = { m1, m2, m3 };
    this.stage.caps = this.panel.hasMargin();
    this.stage.invalidate();
  }

  /** @param {boolean} on */
  #project(on) {
    this.stage?.setProject(on);
    this.transport.setProject(on);
  }

  #resize() {
    const shape = this.skeleton.fit();
    this.panel.place(shape, this.skeleton.left);
    this.stage?.resize();
  }

  dispose() {
    clearInterval(this.watch);
    clearTimeout(this.historyTimer);
    clearTimeout(this.tellTimer);
    this.resizes?.disconnect();
    this.stopKeys?.();
    this.connection?.close();
    this.stage?.dispose();
    this.hover?.dispose();
    this.panel?.dispose();
    this.skeleton?.root.remove();
    withdraw(this.metrics);
    delete /** @type {any} */ (this.parent).__facevisView;
  }
}
