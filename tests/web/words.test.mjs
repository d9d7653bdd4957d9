import assert from "node:assert/strict";
import { test } from "node:test";
import { decimal, wordsFrom } from "../../assets/web/words.js";

test("placeholders are filled and unknown keys show themselves", () => {
  const words = wordsFrom({ live_hello: "step {step} of {steps}" }, "en");
  assert.equal(words("hello", { step: 3 }), "step 3 of {steps}");
  assert.equal(words("missing"), "missing");
});

test("Russian plurals follow the number", () => {
  const forms = { live_classes_one: "{n} класс", live_classes_few: "{n} класса", live_classes_many: "{n} классов" };
  const words = wordsFrom(forms, "ru");
  assert.deepEqual([21, 3, 10].map((n) => words("classes", { n })), ["21 класс", "3 класса", "10 классов"]);
});

test("a value with markup stays text", () => {
  const words = wordsFrom({ live_name: "θ to {name}" }, "en");
  assert.equal(words("name", { name: "<img>" }), "θ to <img>");
});

test("decimals follow the language", () => {
  assert.equal(decimal(0.1909, "ru", 3), "0,191");
});
