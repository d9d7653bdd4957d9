/**
 * The bar under the picture: rewind, train or pause, step, new seed, speed, replay and the scrub
 * bar over what was recorded. Shows a state and reports wishes; decides nothing.
 */
import { h, svg, write } from "./dom.js";
import { Share } from "./share.js";

/** @type {Record<string, string>} paths in a 16×16 box */
const ICONS = {
  play: "M4 2.5v11l9.5-5.5z",
  train: "M4 2.5v11l9.5-5.5z",
  pause: "M4 2.5h3v11H4zM9 2.5h3v11H9z",
  hold: "M4 2.5h3v11H4zM9 2.5h3v11H9z",
  follow: "M4 2.5v11l9.5-5.5z",
  rewind: "M3 2.5h2v11H3zM13.5 2.5v11L5.5 8z",
  step: "M2.5 2.5v11L9.5 8zM11 2.5h2.2v11H11z",
  reseed: "M8 2a6 6 0 1 0 5.9 7.2l-1.9-.4A4 4 0 1 1 10.9 5L9 7h5V2l-1.7 1.7A6 6 0 0 0 8 2z",
  replay: "M8 14A6 6 0 1 0 2.1 6.8l1.9.4A4 4 0 1 1 5.1 11L7 9H2v5l1.7-1.7A6 6 0 0 0 8 14z",
};
/** @type {Record<string, number|null>} steps a second */
const SPEEDS = { slow: 20, middle: 100, full: null };

export class Transport {
  /** @param {HTMLElement} host @param {import("./words.js").Words} words @param {any} acts @param {"trained"|"taped"|"watched"} kind taped: nothing trains, to play is to replay; watched: another trains, nothing is steered */
  constructor(host, words, acts, kind) {
    const taped = kind === "taped";
    this.words = words;
    this.kind = kind;
    this.taped = taped;
    this.acts = acts;
    /** @type {Record<string, HTMLInputElement>} */
    this.paces = {};
    const begin = { trained: "train", taped: "play", watched: "hold" }[kind];
    this.toggle = this.#button(begin, `${begin}_title`, acts.toggle, "fv-primary");
    this.scrub = h("input", { type: "range", class: "fv-range fv-scrub", min: 0, max: 0, step: 1, value: 0, "aria-label": words("scrub") });
    this.scrub.addEventListener("input", () => acts.seek(Number(this.scrub.value)));
    this.where = h("span", { class: "fv-where" });
    this.state = h("span", { class: "fv-state" });
    this.stateText = h("span");
    this.state.append(h("i"), this.stateText);
    this.project = h("input", { type: "checkbox", class: "fv-switch", role: "switch" });
    this.project.addEventListener("change", () => acts.project(this.project.checked));
    this.projectText = h("span");
    this.projectLabel = h("label", { class: "fv-project", hidden: true }, this.project, this.projectText);
    const rewind = this.#button("rewind", taped ? "back_title" : "rewind_title", acts.rewind);
    if (taped) {
      rewind.classList.add("fv-bare");
      host.replaceChildren(h("div", { class: "fv-bar" }, this.toggle, rewind, this.scrub, this.where, this.#speeds()));
      return;
    }
    const replay = this.#button("replay", "replay_title", acts.replay, "fv-quiet");
    if (kind === "watched") {
      const bar = h("div", { class: "fv-bar" }, this.toggle, this.scrub, this.where);
      host.replaceChildren(bar, h("div", { class: "fv-row fv-foot" }, this.state, this.projectLabel, replay));
      return;
    }
    const buttons = h("div", { class: "fv-buttons" },
      this.toggle,
      this.#button("step", "step_title", acts.step),
      rewind,
      this.#button("reseed", "reseed_title", acts.reseed),
    );
    const bar = h("div", { class: "fv-bar" }, replay, this.scrub, this.where);
    const row = h("div", { class: "fv-row" }, buttons, this.projectLabel);
    buttons.append(new Share(words, { link: acts.link, qr: acts.qr }).el);
    host.replaceChildren(bar, row, h("div", { class: "fv-row fv-foot" }, this.state, this.#speeds()));
  }

  /** @param {string} key @param {string} title @param {() => void} act @param {string} [kind] */
  #button(key, title, act, kind = "") {
    const icon = svg("svg", { viewBox: "0 0 16 16", width: 14, height: 14, "aria-hidden": "true" }, svg("path", { d: ICONS[key] }));
    const text = h("span", { text: this.words(key) });
    return h("button", { type: "button", class: `fv-button ${kind}`, title: this.words(title), onclick: act }, icon, text);
  }

  /** The run says to how many steps a second it is held. @param {number|null|undefined} speed */
  #hold(speed) {
    this.held = speed;
    const [key] = Object.entries(SPEEDS).find(([, rate]) => rate === (speed ?? null)) ?? [];
    if (key && this.paces[key]) this.paces[key].checked = true;
  }

  #speeds() {
    const group = h("div", { class: "fv-speeds", role: "radiogroup", "aria-label": this.words(this.taped ? "pace_title" : "speed_title") });
    const name = `fv-speed-${Math.random().toString(36).slice(2)}`;
    for (const [key, rate] of Object.entries(SPEEDS)) {
      const input = h("input", { type: "radio", name, value: key });
      input.checked = key === "full";
      this.paces[key] = input;
      input.addEventListener("change", () => this.acts.speed(key, rate));
      group.append(h("label", {}, input, h("span", { text: this.words(this.taped ? `pace_${key}` : `speed_${key}`) })));
    }
    return h("div", { class: "fv-speed", title: this.words(this.taped ? "pace_title" : "speed_title") }, h("span", { text: this.words("speed") }), group);
  }

  /** @param {any} run @param {boolean} spherical @param {boolean} project */
  introduce(run, spherical, project) {
    this.projectLabel.hidden = spherical;
    this.projectText.textContent = this.words(`project_${run.dim}`);
    this.setProject(project);
  }

  /** Whether open space is shown on the circle or sphere. */
  get projects() {
    return !this.projectLabel.hidden && this.project.checked;
  }

  /** @param {boolean} on */
  setProject(on) {
    this.project.checked = on;
  }

  /**
   * @param {import("./store.js").FrameStore} store @param {import("./protocol.js").Frame|null} shown
   * @param {any} status @param {import("./player.js").Player|undefined} player
   */
  show(store, shown, status, player) {
    const training = status.state === "training";
    this.#showToggle(this.#toggleKey(training, player?.mode));
    const last = Math.max(0, store.kept.length - 1);
    const step = shown?.step ?? status.step ?? 0;
    if (Number(this.scrub.max) !== last) this.scrub.max = String(last);
    const place = player?.mode === "live" ? last : Math.max(0, store.indexAt(step));
    this.scrub.value = String(place);
    this.scrub.style.setProperty("--fv-fill", `${last ? (place / last) * 100 : 0}%`);
    const text = this.words("step_of", { step, steps: Math.max(status.steps ?? 0, step) });
    write(this.where, text);
    this.scrub.setAttribute("aria-valuetext", text);
    write(this.stateText, this.#stateText(status, player, training));
    if (!this.taped && status.speed !== this.held) this.#hold(status.speed);
    this.state.dataset.state = status.state;
  }

  /** @param {any} status @param {import("./player.js").Player|undefined} player @param {boolean} training */
  #stateText(status, player, training) {
    if (status.queue != null) return this.words(status.queue ? "queue" : "queue_next", { n: status.queue });
    const looking = player?.mode === "replay" ? "state_replay" : player?.mode === "hold" && training ? "state_held" : `state_${status.state}`;
    const rate = training && status.steps_per_second > 0 ? ` · ${this.words("per_second", { n: Math.round(status.steps_per_second) })}` : "";
    return this.words(looking) + rate;
  }

  /** What the first button does. @param {boolean} training @param {string|undefined} mode the player's */
  #toggleKey(training, mode) {
    if (this.kind === "trained") return training ? "pause" : "train";
    if (this.kind === "watched" && training) return mode === "live" ? "hold" : "follow";
    return mode === "replay" ? "pause" : "play";
  }

  /** @param {string} key */
  #showToggle(key) {
    if (this.toggle.dataset.key === key) return;
    this.toggle.dataset.key = key;
    this.toggle.querySelector("path").setAttribute("d", ICONS[key]);
    this.toggle.querySelector("span").textContent = this.words(key);
    if (this.kind === "watched") this.toggle.title = this.words(`${key === "pause" ? "play" : key}_title`);
  }
}
