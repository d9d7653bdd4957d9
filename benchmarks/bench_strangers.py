"""People who were never in training: the open-set page against the clock, and the table of TAR at
FAR 1e-2 for all losses over ten seeds.

A seed is one draw of initial weights; pictures and batches are the same for all. Half-widths are
those of Student's 95 % interval of the mean over the seeds: they say nothing about other people.
"""

import dataclasses
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import torch
from playwright.sync_api import sync_playwright
from served import APP, FLAGS, needed_chromium, serve

from facevis.intervals import mean_interval
from facevis.live import Ensemble, Member
from facevis.live.look import look_at, strangers_of
from facevis.live.presets import OPEN_SET, OPEN_SET_CLASSES
from facevis.live.study import study_config
from facevis.objectives import OBJECTIVES
from facevis.verification import compare_all, tar_at_far

ROUNDS, SEEDS = 3, 10
FAR = 1e-2
SHOWN = ".fv-open[data-state='finished'] .fv-tar td small:not(:empty)"


def page_seconds(program):
    """From opening the page in a running app to the table with intervals of a finished run."""
    seconds = []
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(*APP, log=Path(folder) / "log") as app,
        sync_playwright() as play,
    ):
        browser = play.chromium.launch(executable_path=program, args=FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(app.url)  # the app has loaded its libraries; this page shows a recording
        page.wait_for_selector(".fv-stage canvas", timeout=60_000)
        page.close()
        for round_ in range(ROUNDS):
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            began = time.monotonic()
            page.goto(f"{app.url}/strangers?seed={round_ + 1}")
            page.wait_for_selector(SHOWN, timeout=120_000)
            seconds.append(time.monotonic() - began)
            page.close()
        browser.close()
    return seconds


def table(dataset):
    """Mean and half-width of TAR at FAR 1e-2 in percent, by loss."""
    identities, unseen = OPEN_SET_CLASSES[dataset]
    scale = OPEN_SET.members[0].scale
    members = tuple(Member(objective=name, scale=scale) for name in OBJECTIVES)
    config = dataclasses.replace(
        OPEN_SET, members=members, dataset=dataset, identities=identities, unseen=unseen
    )
    ensemble = Ensemble(study_config(config, SEEDS), device="cpu")
    ensemble.train(config.steps)
    rows = strangers_of(ensemble.material)
    labels = ensemble.material.dataset.labels[rows]
    found = {}
    embeddings = look_at(ensemble).embeddings.reshape(len(members), SEEDS, len(rows), -1)
    for member, seeds in zip(members, embeddings, strict=True):
        tars = [100.0 * tar_at_far(compare_all(points, labels), FAR).tar for points in seeds]
        mean, half = mean_interval(tars)
        found[member.objective] = [round(float(mean), 1), round(float(half), 1)]
    return found


def main():
    torch.set_num_threads(1)
    datasets = sys.argv[1:] or ["faces", "digits"]
    seconds = page_seconds(needed_chromium())
    result = {
        "page: opened to verification of a finished run, s": round(statistics.median(seconds), 1),
        "page: slowest, s": round(max(seconds), 1),
        **{f"TAR at FAR 1e-2, {name}": table(name) for name in datasets},
        "bounds": {"page: slowest, s": "<= 20"},
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
