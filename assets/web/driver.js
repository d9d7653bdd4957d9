/**
 * What the transport's buttons and keys do: turns a wish into a command for the run and a mode of
 * the player.
 */

/** Length of a replay at each speed, seconds. */
const REPLAY_SECONDS = { slow: 16, middle: 9, full: 6 };

export class Driver {
  /** @param {import("./view.js").View} view */
  constructor(view) {
    this.view = view;
    this.speed = /** @type {"slow"|"middle"|"full"} */ ("full");
    /** Until somebody takes the wheel, what is whole when it is opened may play by itself. */
    this.untouched = true;
  }

  maySelfPlay() {
    const { data, status, still } = this.view;
    return data.autoplay && data.at == null && this.untouched && !still && ["recorded", "finished"].includes(status.state);
  }

  /** Show what is newest. */
  goLive() {
    this.untouched = false;
    const { stage, status } = this.view;
    if (!stage || stage.player.mode === "live") return;
    stage.play((player) => player.goLive(performance.now()));
    this.#shown(status.state === "training");
  }

  toggle() {
    const { kind, status, connection } = this.view;
    const training = status.state === "training";
    if (kind === "watched" && training) {
      this.#toggleHold();
      return;
    }
    if (kind !== "trained") {
      this.#toggleReplay();
      return;
    }
    if (!training) this.goLive();
    connection.send({ type: training ? "pause" : "play" });
  }

  /** Of what another trains, one's own picture stands still or goes on. */
  #toggleHold() {
    const { stage } = this.view;
    if (stage?.player.mode !== "live") {
      this.goLive();
      return;
    }
    this.untouched = false;
    stage.play((player) => player.hold());
    this.#shown(false);
  }

  /** Of a tape, to play is to replay: from here, or from the start if here is the end. */
  #toggleReplay() {
    const { stage, store } = this.view;
    if (!stage) return;
    const { mode, cursor } = stage.player;
    if (mode === "replay") this.seek(Math.floor(cursor));
    else this.replayNow(performance.now(), mode === "hold" && cursor < store.kept.length - 1 ? Math.floor(cursor) : 0);
    this.untouched = false;
    this.#shown(false);
  }

  rewind() {
    if (this.view.kind !== "trained") {
      this.seek(0);
      return;
    }
    this.goLive();
    this.view.connection.send({ type: "rewind" });
  }

  step() {
    this.goLive();
    this.view.connection.send({ type: "step", count: 1 });
  }

  replay() {
    this.untouched = false;
    const { stage, status, connection, kind } = this.view;
    if (!stage) return;
    if (status.state === "training" && kind === "trained") connection.send({ type: "pause" });
    this.replayNow(performance.now());
    this.#shown(false);
  }

  /** @param {number} now */
  selfPlay(now) {
    this.untouched = false;
    this.replayNow(now);
  }

  /** @param {number} now @param {number} [from] index of the kept frames */
  replayNow(now, from = 0) {
    this.view.stage.play((player) => player.replay(now, REPLAY_SECONDS[this.speed], from));
  }

  /** A link or a lesson begins at a step: go there once it is known, and unless somebody took the wheel. */
  begin() {
    const { data, store, stage } = this.view;
    const last = store.kept[store.kept.length - 1];
    if (!this.untouched || data.at == null || !stage || !last || last.step < data.at) return;
    const index = store.indexAt(data.at);
    // The newest frame comes first, then the others from the start on: this one may be on its way.
    const passed = index >= 0 && index + 1 < store.kept.length - 1;
    if (index < 0 || (store.kept[index].step !== data.at && !passed)) return;
    this.seek(index);
    this.untouched = false;
  }

  /** @param {number} index of the kept frames; the last one is where the run is */
  seek(index) {
    this.untouched = false;
    const { stage, store } = this.view;
    if (!stage) return;
    if (index >= store.kept.length - 1) {
      this.goLive();
      return;
    }
    stage.play((player) => player.seek(index, performance.now()));
    this.#shown(false);
  }

  /** @param {"slow"|"middle"|"full"} name @param {number|null} rate steps a second */
  setSpeed(name, rate) {
    this.speed = name;
    this.view.stage?.play((player) => (player.seconds = REPLAY_SECONDS[name]));
    this.view.connection.send({ type: "speed", steps_per_second: rate });
  }

  /** @param {boolean} busy whether the picture keeps moving by itself */
  #shown(busy) {
    this.view.stage.busy = busy;
    this.view.stage.invalidate();
    this.view.history();
  }
}
