"""Twenty live runs in one scheduler against one: steps a second in all, and frames a run."""

import json
import time

from facevis.live import RunConfig
from facevis.live.material import material_for
from facevis.live.trainer import LiveRun


def steps_per_second(count, seconds=5.0):
    configs = [RunConfig(seed=seed, steps=10**6) for seed in range(count)]
    runs = [LiveRun(config, material_for(config)) for config in configs]
    frames = [0]

    def heard():
        frames[0] += 1

    for run in runs:
        run.listen(heard)
        run.play()
    time.sleep(2.0)
    start, steps, before = time.monotonic(), sum(run.step for run in runs), frames[0]
    time.sleep(seconds)
    elapsed = time.monotonic() - start
    done, shown = sum(run.step for run in runs) - steps, frames[0] - before
    for run in runs:
        run.pause()
    time.sleep(0.5)
    return done / elapsed, shown / elapsed / count


def main():
    ratios, ones, frames = [], [], []
    for _ in range(3):
        one, _ = steps_per_second(1)
        twenty, shown = steps_per_second(20)
        ratios.append(twenty / one)
        ones.append(one)
        frames.append(shown)
    middle = sorted(range(3), key=ratios.__getitem__)[1]
    print(
        json.dumps(
            {
                "20 runs together, share of one": round(ratios[middle], 3),
                "one run, steps/s": round(ones[middle]),
                "20 runs: snapshots/s each": round(frames[middle], 1),
                "bounds": {"20 runs together, share of one": ">= 0.6"},
            }
        )
    )


if __name__ == "__main__":
    main()
