/**
 * The whole live view: builds the page's parts and a stage for each run, and passes what
 * comes from the run, the page and the hand to the part that needs it. Kept alive across all updates of the page.
 *
 * @typedef {import("./live.js").Component} Component
 */
import { captionOf } from "./caption.js";
import { FrameStore } from "./store.js";
import { Metrics, publish, withdraw } from "./metrics.js";
import { Driver } from "./driver.js";
import { Incoming } from "./incoming.js";
import { Stage } from "./stage.js";
import { Steering } from "./steering.js";
import { hasWebGL } from "./scene.js";
import { Panel } from "./panel.js";
import { Board } from "./board.js";
import { Sweep } from "./sweep.js";
import { Plain } from "./plain.js";
import { Transport } from "./transport.js";
import { Pointers } from "./pointers.js";
import { Skeleton } from "./skeleton.js";
import { Telling } from "./telling.js";
import { listenToKeys } from "./keys.js";
import { linkOf } from "./linked.js";
import { wordsFrom } from "./words.js";

/** @type {Record<string, any>} what stands beside the picture, by the page's mode; all have the same methods */
const FACES = { single: Panel, compare: Board, sweep: Sweep, plain: Plain };

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
    this.incoming = new Incoming(this);
    this.steering = new Steering(this);
    this.telling = new Telling(this);
    /** @type {any} to the run on screen: a socket, or what stands in for one */
    this.connection = undefined;
    /** @type {string|undefined} why there is no picture, if there can be none */
    this.obstacle = undefined;
    /** @type {string|undefined} the run on screen */
    this.token = undefined;
    /** @type {Set<string>} names of this run from before it was steered and went its own way */
    this.left = new Set();
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
    const look = JSON.stringify([data.lang, data.controls, data.ranges, data.sweep, data.members]);
    // Parts made for another run's data must not speak of the one that leaves.
    const token = this.left.has(data.token) ? this.token : data.token;
    const other = this.token !== token || before?.projection !== data.projection;
    if (data.token === token) this.left.clear();
    this.token = token;
    if (before && other) this.run = undefined;
    if (before && look !== this.look) this.#rebuildParts();
    else if (before) this.panel.data = data;
    this.look = look;
    if (!before && data.camera) this.camera = data.camera;
    this.#retheme();
    if (other) this.incoming.connect();
    else if (this.wishedProject !== data.project_to_circle) this.project(data.project_to_circle);
    else if (before) this.steering.compare();
    this.wishedProject = data.project_to_circle;
  }

  #build() {
    this.metrics.mounts += 1;
    this.skeleton = new Skeleton(this.parent, this.data.mode);
    this.skeleton.room = this.data.room;
    this.#rebuildParts();
    this.resizes = new ResizeObserver(() => this.resize());
    this.resizes.observe(this.skeleton.root);
    this.stopKeys = listenToKeys(this.skeleton.root, {
      toggle: () => this.driver.toggle(),
      rewind: () => this.driver.rewind(),
      release: () => this.pointers?.release(),
    });
    // A page that was left must not keep a run alive.
    this.watch = setInterval(() => {
      if (!this.parent.isConnected) this.dispose();
    }, 3000);
  }

  /** Who trains: nobody, so that to play is to replay; somebody else, who is watched; or this page. */
  get kind() {
    if (this.data.open || this.data.taped) return "taped";
    return this.data.readonly ? "watched" : "trained";
  }

  /** The parts made of words. */
  #rebuildParts() {
    const { skeleton, data, words } = this;
    const values = this.panel?.values();
    this.panel?.dispose();
    /** @type {any} */
    this.panel = new FACES[data.mode](skeleton, { words, data }, {
      input: (/** @type {number} */ stamp) => this.steering.steer(stamp),
      release: () => this.steering.release(),
      scrub: (/** @type {number} */ member, /** @type {number} */ stamp) => this.steering.scrub(member, stamp),
      ask: (/** @type {number} */ sample) => this.connection.send({ type: "anatomy", sample }),
    });
    this.transport = new Transport(skeleton.transport, words, {
      toggle: () => this.driver.toggle(),
      rewind: () => this.driver.rewind(),
      step: () => this.driver.step(),
      reseed: () => this.component.setTriggerValue("reseed", Date.now() % 2 ** 31),
      replay: () => this.driver.replay(),
      speed: (/** @type {any} */ name, /** @type {number|null} */ rate) => this.driver.setSpeed(name, rate),
      seek: (/** @type {number} */ index) => this.driver.seek(index),
      project: (/** @type {boolean} */ on) => this.project(on),
      link: () => linkOf(this),
      qr: (/** @type {string} */ text) => `${data.base}/qr.svg?text=${encodeURIComponent(text)}`,
    }, this.kind);
    skeleton.transport.hidden = data.still === true;
    if (!this.run) return;
    this.introduce(values);
    if (this.obstacle) this.sayObstacle();
    if (!this.stage) return;
    this.panel.dress(this.stage);
    if (this.stage.player.frame) this.#shown(this.stage.player.frame);
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

  /** The run on screen is left. */
  leave() {
    // What another steers goes from run to run: who watches keeps the place from which they look.
    if (this.data.readonly && this.stage) this.camera = this.stage.scene.camera();
    this.stage?.dispose();
    this.pointers?.dispose();
    this.stage = this.run = undefined;
    this.store.clear();
    this.asked = new Map();
    this.driver.untouched = true;
  }

  /** Why there is no picture; nothing where there is one. */
  sayObstacle() {
    this.skeleton.say(this.obstacle ? this.words(this.obstacle) : "", "warn");
  }

  /** A stage for a new run. */
  async raise() {
    const { skeleton, run, words, data } = this;
    this.obstacle = undefined;
    this.stage?.dispose();
    const members = this.panel.members(run);
    const hosts = skeleton.hosts(members.length);
    await skeleton.styled;
    if (this.run !== run) return;
    this.colors = skeleton.colors();
    const look = {
      colors: this.colors,
      project: data.project_to_circle,
      still: this.still,
      calm: data.readonly === true,
      titles: { png: words("png"), svg: words("svg") },
    };
    skeleton.fit();
    const stage = new Stage(hosts, run, members, this.store, look, this.metrics, {
      shown: (frame) => this.#shown(frame),
      drawn: () => this.#drawn(),
    });
    this.stage = stage;
    if (run.projection?.kind === "span") stage.only((i) => run.projection.classes.includes(run.labels[i]) || run.labels[i] >= run.class_names.length);
    this.pointers = new Pointers(skeleton, stage, words, data.lang, (sample) => this.panel.pinned(sample, stage));
    this.panel.dress(stage);
    if (this.camera) stage.scene.setCamera(this.camera);
    this.resize();
    if (this.store.newest) this.incoming.show(this.store.newest);
    const obstacle = run.dim === 3 && !hasWebGL() ? "no_webgl" : await this.#start(stage);
    if (!obstacle || this.stage !== stage) return;
    this.obstacle = obstacle;
    this.sayObstacle();
  }

  /** Let Plotly draw its part; what stands in the way, if anything does. @param {Stage} stage */
  async #start(stage) {
    try {
      await this.loadPlotly(this.data.base);
      if (this.stage === stage) await stage.start();
      return undefined;
    } catch (error) {
      console.error(error);
      return "no_plotly";
    }
  }

  /** Tell panel and transport what run this is. @param {any} [values] margins kept from before */
  introduce(values) {
    const { run, data, words } = this;
    this.panel.introduce(run, values);
    const shown = this.panel.members(run).map((/** @type {number} */ index) => run.members[Math.floor(index)]);
    this.transport.introduce(run, shown.every((/** @type {any} */ member) => member.spherical), data.project_to_circle);
    const classes = words("classes", { n: run.class_names.length });
    this.skeleton.describe(shown.map((/** @type {any} */ member) => {
      const open = member.spherical || data.project_to_circle ? "" : "open_";
      const what = words(`scene_${open}${run.dim}`, { points: run.points, classes });
      return shown.length > 1 ? `${captionOf(member, words, data.lang).name}: ${what}` : what;
    }));
  }

  /** Charts and scrub bar have something new to show. */
  history() {
    this.telling.soon();
  }

  #drawn() {
    this.pointers?.follow();
    this.telling.drawn();
  }

  /** A snapshot is on screen. @param {import("./protocol.js").Frame} frame */
  #shown(frame) {
    const { metrics, stage } = this;
    if (stage.player.mode === "live") metrics.arrived(frame, this.asked);
    this.panel.picture(stage, frame);
    this.history();
  }

  /** @param {boolean} on */
  project(on) {
    this.stage?.setProject(on);
    this.transport.setProject(on);
  }

  /** Where a link begins, besides the step. @param {{camera?: string}} start */
  begin({ camera }) {
    this.camera = camera;
    if (this.stage && camera) this.stage.scene.setCamera(camera);
  }

  resize() {
    const shape = this.skeleton.fit();
    this.panel.place(shape, this.skeleton.left);
    this.stage?.resize();
  }

  dispose() {
    clearInterval(this.watch);
    this.telling.stop();
    this.steering.stop();
    this.resizes?.disconnect();
    this.stopKeys?.();
    this.connection?.close();
    this.stage?.dispose();
    this.pointers?.dispose();
    this.panel?.dispose();
    this.skeleton?.root.remove();
    withdraw(this.metrics);
    delete /** @type {any} */ (this.parent).__facevisView;
  }
}
