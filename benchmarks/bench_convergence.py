"""How many of ten seeds separate the digits: 99 % right and 0.9 of the packing optimum apart."""

import dataclasses
import json

from facevis.live import Ensemble
from facevis.live.presets import PRESETS

GOALS = {"arcface": 1500, "arcface_sphere": 1000}


def main():
    result = {}
    for name, steps in GOALS.items():
        member = PRESETS[name].members[0]
        members = tuple(dataclasses.replace(member, seed=seed) for seed in range(10))
        ensemble = Ensemble(dataclasses.replace(PRESETS[name], members=members), device="cpu")
        ensemble.train(steps)
        snapshot = ensemble.snapshot()
        accuracy, share = snapshot.statistic("accuracy"), snapshot.statistic("packing_share")
        result[f"{name}: seeds of 10 that reach it"] = int(
            ((accuracy >= 0.99) & (share >= 0.9)).sum()
        )
        result[f"{name}: least accuracy"] = round(float(accuracy.min()), 4)
        result[f"{name}: least packing share"] = round(float(share.min()), 3)
    result["bounds"] = {f"{name}: seeds of 10 that reach it": ">= 9" for name in GOALS}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
