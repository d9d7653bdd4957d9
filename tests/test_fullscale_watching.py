"""What is told of a run that is watched: what is new, once, and always little."""

import json
import os
import shutil
import time

import pytest
from runs import prepared
from starlette.applications import Starlette
from starlette.testclient import TestClient

from facevis.fullscale.journal import Journal
from facevis.fullscale.routes import routes
from facevis.fullscale.watching import MOST_POINTS, Watch, watches


@pytest.fixture
def run(tmp_path):
    return prepared(tmp_path / "one")


def line(step, kind="train", **values):
    return json.dumps({"kind": kind, "step": step, "time": 1.0 + step} | values) + "\n"


def write(run, *lines, mode="w"):
    with (run / "metrics.jsonl").open(mode) as file:
        file.write("".join(lines))


def steps(told):
    return told["train"]["step"]


def test_what_was_told_is_not_told_again(run):
    watch = Watch(run)
    write(run, line(1, loss=2.5), line(2, loss=2.0))
    first = watch.poll()
    assert (steps(first), first["train"]["loss"], first["anew"]) == ([1, 2], [2.5, 2.0], True)
    write(run, line(3, loss=1.5), mode="a")
    second = watch.poll(first["at"])
    assert (steps(second), second["anew"], second["step"]) == ([3], False, 3)
    third = watch.poll(second["at"])
    assert (steps(third), third["others"], third["at"]) == ([], [], second["at"])


def test_a_line_that_is_being_written_waits_until_it_is_whole(run):
    watch = Watch(run)
    write(run, line(1), line(2)[:20])
    told = watch.poll()
    assert steps(told) == [1]
    write(run, line(2)[20:], mode="a")
    assert steps(watch.poll(told["at"])) == [2]


def test_a_journal_that_was_tidied_is_told_from_its_beginning(run):
    watch = Watch(run)
    write(run, *(line(step) for step in range(1, 9)))
    told = watch.poll()
    with_less = Journal(run, resumed_at=5)
    with_less.write("train", 6, loss=1.0)
    with_less.close()
    again = watch.poll(told["at"])
    assert again["anew"]
    assert steps(again) == [1, 2, 3, 4, 5, 6]


def test_a_journal_that_grew_past_the_place_again_is_noticed_too(run):
    watch = Watch(run)
    write(run, *(line(step) for step in range(1, 5)))
    told = watch.poll()
    write(run, *(line(step, loss=1.0) for step in range(1, 9)))
    again = watch.poll(told["at"])
    assert again["anew"]
    assert steps(again) == [*range(1, 9)]


def test_a_resumed_run_that_lost_nothing_is_gone_on_with(run):
    watch = Watch(run)
    journal = Journal(run)
    for step in (1, 2, 3):
        journal.write("train", step, loss=1.0)
    journal.close()
    told = watch.poll()
    again = Journal(run, resumed_at=3)
    again.write("train", 4, loss=1.0)
    again.close()
    more = watch.poll(told["at"])
    assert (steps(more), more["anew"]) == ([4], False)


@pytest.mark.parametrize("place", ["", "x", "5-xyz", "-1-00000000", "99999-00000000", "1" * 40])
def test_a_place_that_nobody_told_begins_at_the_beginning(run, place):
    write(run, line(1))
    told = Watch(run).poll(place)
    assert (steps(told), told["anew"]) == ([1], True)


def test_a_long_journal_is_told_in_few_points_and_soon(run):
    count = 100_000
    rows = (line(step, loss=1 / step, learning_rate=0.1) for step in range(1, count + 1))
    write(run, *rows, *(line(k, "angles", own=[1] * 180) for k in range(300)))
    write(run, *(line(k, "evaluation", set="ab"[k % 2]) for k in range(2000)), mode="a")
    began = time.monotonic()
    told = Watch(run).poll()
    assert time.monotonic() - began < 5
    assert MOST_POINTS <= len(steps(told)) <= 2 * MOST_POINTS
    assert (steps(told)[0], steps(told)[-1], told["step"]) == (1, count, count)
    assert told["every"] > 1
    gaps = {b - a for a, b in zip(steps(told)[:-2], steps(told)[1:-1], strict=True)}
    assert gaps == {told["every"]}
    sets = [entry["set"] for entry in told["others"] if entry["kind"] == "evaluation"]
    assert sets.count("a") == sets.count("b") < 601
    assert sum(entry["kind"] == "angles" for entry in told["others"]) <= 121


def test_garbage_is_passed_over_and_counted_and_what_comes_out_is_json(run):
    garbage = ["}{\n", "[1]\n", '{"kind": "train"}\n', '{"kind": "train", "loss": 3}\n', "\0\n"]
    bad = '{"kind": "train", "step": 2, "loss": NaN, "learning_rate": "fast", "angle_deg": true}\n'
    write(run, line(1, loss=1.0), *garbage, bad, line(3, "event", event="remark", x="é"))
    told = Watch(run).poll()
    assert steps(told) == [1, 2]
    assert [told["train"][name][1] for name in ("loss", "learning_rate", "angle_deg")] == [None] * 3
    assert told["unreadable"] == 5
    json.dumps(told, allow_nan=False)


def test_the_state_is_that_of_the_folder(run):
    watch = Watch(run)
    assert watch.poll()["state"] == "stopped"
    write(run, line(12), line(12, "event", event="finished", sentence="Finished: 12 steps."))
    assert watch.poll()["state"] == "finished"
    (run / "config.json").write_text("{")
    told = watch.poll()
    assert told["state"] == "broken"
    assert "config.json" in told["sentence"]


def test_a_trainer_that_was_killed_is_told_in_words(run):
    write(run, line(1, loss=1.0))
    process = {"pid": os.getpid(), "born": 1.0, "since": 0.0}  # somebody else has its number now
    (run / "process.json").write_text(json.dumps(process))
    told = Watch(run).poll()
    assert told["state"] == "failed"
    assert "killed" in told["sentence"]


def test_the_log_comes_when_it_is_asked_for(run):
    (run / "log.txt").write_text("one\n\x1b[31mtwo\x1b[0m\n")
    assert "log" not in Watch(run).poll()
    assert Watch(run).poll(log=True)["log"] == ["one", "two"]


def test_the_last_loss_stands_at_the_end_of_the_journal(run):
    watch = Watch(run)
    assert watch.last_loss() is None
    write(run, line(1, loss=3.0), line(2, loss=2.0), line(3, loss=None), line(3, "event"))
    assert watch.last_loss() == 2.0


@pytest.fixture
def client():
    with TestClient(Starlette(routes=routes("/base"))) as client:
        yield client


def test_a_page_asks_by_token_and_never_by_path(run, client):
    write(run, line(1, loss=1.0))
    token = watches.token_of(run)
    assert watches.token_of(run) == token
    assert run.name not in token
    answer = client.get(f"/base/training/{token}.json?log=1")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    told = answer.json()
    assert (told["name"], steps(told), told["log"]) == ("one", [1], [])
    more = client.get(f"/base/training/{token}.json", params={"from": told["at"]}).json()
    assert steps(more) == []
    for other in ("nobody", "..%2Fone", "one"):
        answer = client.get(f"/base/training/{other}.json")
        assert answer.status_code == 404


def test_a_run_that_was_deleted_is_gone_in_words(run, client):
    token = watches.token_of(run)
    shutil.rmtree(run)
    answer = client.get(f"/base/training/{token}.json")
    assert answer.status_code == 404
    assert answer.json()["gone"]
    assert "there is no run one" in answer.json()["sentence"]


def test_numbers_and_letters_that_json_cannot_hold_do_not_reach_the_page(run, client):
    lines = (
        '{"kind": "train", "step": 2, "time": 1, "loss": 1e999}\n'
        '{"kind": "event", "step": 2, "time": 1, "event": "remark", "sentence": "\\ud800 x"}\n'
    )
    with (run / "metrics.jsonl").open("a") as file:
        file.write(lines)
    answer = client.get(f"/base/training/{watches.token_of(run)}.json")
    assert answer.status_code == 200
    assert "Infinity" not in answer.text
    assert "? x" in answer.text
