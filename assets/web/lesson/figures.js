/** The figures by the names that facevis/lessons/programme.py gives them. */
import { Softmax } from "./softmax.js";
import { Stranger } from "./stranger.js";
import { Effect } from "./effect.js";
import { OneFormula } from "./oneformula.js";
import { OnCircle, OneMoreDimension } from "./packing.js";
import { Sphere } from "./sphere.js";
import { Strangers } from "./strangers.js";
import { FullScale } from "./fullscale.js";
import { Siamese, TripletLesson } from "./scenes.js";
import Arc from "./arc.js";
import Costs from "./costs.js";

/** @type {Record<string, any>} */
export const FIGURES = {
  softmax: Softmax,
  stranger: Stranger,
  siamese: Siamese,
  triplet: TripletLesson,
  costs: Costs,
  sphere: Sphere,
  arc: Arc,
  effect: Effect,
  formula: OneFormula,
  circle: OnCircle,
  dimension: OneMoreDimension,
  strangers: Strangers,
  fullscale: FullScale,
};
