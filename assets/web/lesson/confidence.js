/** How sure a softmax over s·cos θ can be at all. Pure; tested against facevis.geometry. */

/** All other cosines at −1: no softmax of C classes and scale s is surer. @param {number} s @param {number} classes */
export function bestProbability(s, classes) {
  return 1 / (1 + (classes - 1) * Math.exp(-2 * s));
}

/** On the prototype itself, with all prototypes evenly on a circle. @param {number} s @param {number} classes */
export function circleProbability(s, classes) {
  let others = 0;
  for (let k = 1; k < classes; k += 1) others += Math.exp(s * (Math.cos((2 * Math.PI * k) / classes) - 1));
  return 1 / (1 + others);
}

/** The smallest scale worth training with for posterior P: (C−1)/C · ln((C−1)P/(1−P)) (Wang et al. 2018). @param {number} posterior @param {number} classes */
export function scaleFor(posterior, classes) {
  return Math.max(0, ((classes - 1) / classes) * Math.log(((classes - 1) * posterior) / (1 - posterior)));
}
