/**
 * The formula of the objective in MathML, once in symbols and once with the live numbers.
 */
import { h, math } from "./dom.js";

const mi = (/** @type {string} */ text) => math("mi", { text });
const mn = (/** @type {string} */ text) => math("mn", { text });
const mo = (/** @type {string} */ text) => math("mo", { text });
const sub = (/** @type {string} */ base, /** @type {string} */ index) => math("msub", {}, mi(base), mi(index));
const m = (/** @type {string} */ index) => math("msub", {}, mi("m"), mn(index));
const row = (/** @type {Node[]} */ ...nodes) => math("math", {}, math("mrow", {}, ...nodes));

export class FormulaView {
  /** @param {string} objective @param {boolean} family whether margins act @param {import("./words.js").Words} words */
  constructor(objective, family, words) {
    /** @type {Record<string, any>} */
    this.numbers = {};
    this.point = words("decimal_point");
    for (const name of ["s", "m1", "m2", "m3"]) this.numbers[name] = math("mn", { class: "fv-live" });
    const known = ["softmax", "contrastive", "triplet"].includes(objective);
    const label = words(!family && known ? `formula_${objective}` : "formula_label");
    const lines = family ? this.#familyLines(words) : [otherFormula(objective)];
    this.el = h("div", { class: "fv-formula" }, h("div", { class: "fv-formula-label", text: label }), ...lines);
  }

  /** @param {import("./words.js").Words} words */
  #familyLines(words) {
    const { s, m1, m2, m3 } = this.numbers;
    const angle = () => sub("θ", "y");
    const symbols = row(sub("z", "y"), mo("="), mi("s"), mo("·"), mo("("), mi("cos"), mo("("), m("1"), angle(), mo("+"), m("2"), mo(")"), mo("−"), m("3"), mo(")"));
    const live = row(s, mo("·"), mo("("), mi("cos"), mo("("), m1, mo("·"), angle(), mo("+"), m2, mo(")"), mo("−"), m3, mo(")"));
    const others = h("div", { class: "fv-formula-others", text: words("formula_others") });
    return [h("div", { class: "fv-formula-symbols" }, symbols), h("div", { class: "fv-formula-live" }, live), others];
  }

  /** @param {Record<string, number>} values m1, m2, m3, s */
  show(values) {
    const write = (/** @type {string} */ name, /** @type {string} */ text) => (this.numbers[name].textContent = text.replace(".", this.point));
    write("s", String(Number(values.s.toFixed(1))));
    write("m1", String(Number(values.m1.toFixed(2))));
    write("m2", values.m2.toFixed(2));
    write("m3", values.m3.toFixed(2));
  }
}

/** @param {string} objective */
function otherFormula(objective) {
  const norm = (/** @type {Node[]} */ ...nodes) => [mo("‖"), ...nodes, mo("‖")];
  const x = (/** @type {string} */ mark) => sub("x", mark);
  if (objective === "contrastive") {
    return h("div", { class: "fv-formula-live" },
      row(mi("d"), mo("="), ...norm(x("1"), mo("−"), x("2"))),
      row(math("msup", {}, mi("d"), mn("2")), mo("+"), mi("max"), mo("("), mn("0"), mo(","), mi("m"), mo("−"), mi("d"), math("msup", {}, mo(")"), mn("2"))));
  }
  if (objective === "triplet") {
    return h("div", { class: "fv-formula-live" },
      row(mi("max"), mo("("), mn("0"), mo(","), sub("d", "+"), mo("+"), mi("m"), mo("−"), sub("d", "−"), mo(")")));
  }
  return h("div", { class: "fv-formula-live" },
    row(sub("z", "j"), mo("="), math("msubsup", {}, mi("W"), mi("j"), mi("⊤")), mi("x"), mo("+"), sub("b", "j")));
}
