/**
 * What comes from the run: its description, its states, its frames, and what each of them changes in
 * the view. Opens the connection anew for another run.
 */
import { connect, move } from "./connecting.js";
import { decodeFrame } from "./protocol.js";

export class Incoming {
  /** @param {import("./view.js").View} view */
  constructor(view) {
    this.view = view;
  }

  /** Leave the run on screen for the one of the view's token. */
  connect() {
    const { view } = this;
    view.connection?.close();
    view.leave();
    view.skeleton.say(view.words("waiting"), "quiet");
    view.connection = connect(view.data, view.token, {
      message: (/** @type {any} */ message) => this.#message(message),
      frame: (/** @type {ArrayBuffer} */ buffer) => this.#frame(buffer),
      lost: () => view.skeleton.say(view.words("lost"), "warn"),
    });
  }

  /** @param {any} message */
  #message(message) {
    const { type } = message;
    const { skeleton, words, panel, stage } = this.view;
    if (type === "run") this.#begin(message);
    else if (type === "status") this.#status(message);
    else if (type === "reset") this.#reset();
    else if (type === "forked") this.#forked(message.token);
    else if (type === "gone") skeleton.say(words("gone"), "warn");
    else if (type === "anatomy") panel.answer(message, stage);
    else if (type === "error") skeleton.say(message.message, "warn", 5000);
  }

  /** The run was steered and is another than the shared one: the same picture at a new address. @param {string} token */
  #forked(token) {
    const { view } = this;
    move(view.connection, view.run, view.token, token);
    view.left.add(view.token);
    view.token = token;
    view.component.setTriggerValue?.("forked", token);
  }

  /** The run's description: at the start, and again after every reconnection. @param {any} run */
  #begin(run) {
    const { view } = this;
    const known = view.run;
    view.store.clear();
    view.run = run;
    view.status = { ...run };
    if (!known || known.dim !== run.dim || known.points !== run.points) {
      view.raise();
      view.introduce();
    }
    view.sayObstacle();
    this.#status(run);
  }

  /** @param {ArrayBuffer} buffer */
  #frame(buffer) {
    const { run, metrics, store, stage, driver } = this.view;
    if (!run) return;
    const { dim, points } = run;
    const shape = { members: run.members.length, classes: run.class_names.length, points, dim };
    const frame = decodeFrame(buffer, shape);
    metrics.snapshots += 1;
    metrics.bytes += buffer.byteLength;
    const newest = store.add(frame);
    if (stage && newest) this.show(frame);
    else driver.begin();
    this.view.history();
  }

  /** A frame that is the newest. @param {import("./protocol.js").Frame} frame */
  show(frame) {
    const { stage, driver } = this.view;
    const now = performance.now();
    if (driver.maySelfPlay() && stage.player.mode === "live") driver.selfPlay(now);
    else stage.play((player) => player.follow(frame, now));
    driver.begin();
    stage.wake();
  }

  /** @param {any} status */
  #status(status) {
    const { view } = this;
    Object.assign(view.status, { queue: undefined }, status);
    if (view.stage) {
      view.stage.busy = status.state === "training" && view.stage.player.mode === "live";
      view.stage.invalidate();
    }
    if (status.message) view.skeleton.say(status.message, "warn");
    view.history();
  }

  #reset() {
    const { store, stage } = this.view;
    store.clear();
    stage?.play((player) => player.goLive(performance.now()));
    this.view.history();
  }
}
