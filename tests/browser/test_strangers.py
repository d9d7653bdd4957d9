"""The open-set page in a real browser: trained, measured, and a threshold under the hand."""

import pytest

RUN = "data=digits&n=7&unseen=3&dim=8&steps=60&members=softmax,triplet,arcface:s=16"
REPORT = "document.querySelector('.fv-open').parentElement.__facevisView"


def opened(page, app_url, part, more=""):
    page.goto(f"{app_url}/strangers?{RUN}&part={part}{more}")
    page.wait_for_function(
        f"document.querySelector('.fv-open') && {REPORT}.report?.full", timeout=60_000
    )


def test_the_threshold_moves_under_the_hand_and_the_counts_follow(page, app_url):
    opened(page, app_url, "verification")
    chart = page.locator(".fv-drag svg")
    box = chart.bounding_box()
    said = page.locator(".fv-readout")
    seen = []
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 80)
    page.mouse.down()
    for share in (0.2, 0.4, 0.6):
        page.mouse.move(box["x"] + box["width"] * share, box["y"] + 80, steps=3)
        page.wait_for_timeout(60)
        state = page.evaluate(
            f"""(() => {{ const part = {REPORT}.part, at = Math.round(2 * part.threshold);
              return [part.threshold, part.farNow, part.tarNow,
                part.found.accepted[1][at] / part.found.impostors,
                part.found.accepted[0][at] / part.found.genuine]; }})()"""
        )
        assert state[1] == state[3]
        assert state[2] == state[4]
        seen.append((state[0], state[1], said.inner_text()))
    page.mouse.up()
    assert seen[0][0] < seen[1][0] < seen[2][0]
    assert seen[0][1] <= seen[1][1] <= seen[2][1]
    assert len({text for *_, text in seen}) == 3
    assert not page.faults


def test_false_accepts_lie_below_the_threshold_and_false_rejects_above(page, app_url):
    opened(page, app_url, "verification")
    page.locator(".fv-open input[type=range]").fill("60")
    page.wait_for_timeout(200)
    lists = page.locator(".fv-pairs")
    accepts, rejects = (lists.nth(k).locator("li:not(.fv-none) small") for k in range(2))
    assert accepts.count() + rejects.count() > 0
    for text in accepts.all_inner_texts():
        assert float(text.rstrip("°")) <= 60.05
    for text in rejects.all_inner_texts():
        assert float(text.rstrip("°")) >= 59.95


def test_losses_and_curves_are_chosen_by_keyboard(page, app_url):
    opened(page, app_url, "verification")
    page.locator(".fv-losses input").nth(2).focus()
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(f"{REPORT}.chosen") == 1
    assert page.locator(".fv-tar tr[data-here=true] b").inner_text() == "Triplet"
    page.locator(".fv-kinds label").nth(1).click()
    page.wait_for_timeout(100)
    assert "DET" in page.locator(".fv-kinds + .fv-chart h4").inner_text()
    assert not page.faults


def test_a_gallery_and_a_stranger_are_asked_for_anew(page, app_url):
    opened(page, app_url, "identification")
    page.locator(".fv-named input").nth(0).fill("2")
    page.wait_for_function(f"{REPORT}.report.gallery === 2", timeout=20_000)
    opened(page, app_url, "enrolment")
    page.locator(".fv-people input").nth(1).click(force=True)
    page.wait_for_function(f"{REPORT}.report.members[2].enrol.who === 1", timeout=20_000)
    page.locator(".fv-named input").fill("3")
    page.wait_for_function(f"{REPORT}.report.members[2].enrol.count === 3", timeout=20_000)
    assert page.locator(".fv-two .fv-pairs").first.locator("li").count() == 3
    assert not page.faults


def test_certainty_stands_beside_the_angle_and_triplets_have_none(page, app_url):
    opened(page, app_url, "certainty")
    assert page.locator(".fv-guesses li").count() == 8
    page.locator(".fv-losses label").nth(1).click()
    page.wait_for_timeout(200)
    assert page.get_by_text("no classifier").is_visible()
    assert not page.faults


@pytest.mark.parametrize(("projection", "word"), [("span:0,1,2", "Exact"), ("pca", "PCA")])
def test_many_dimensions_say_what_is_exact(page, app_url, projection, word):
    page.goto(f"{app_url}/strangers?{RUN}&part=landing&proj={projection}")
    view = "document.querySelector('.fv-root').parentElement.__facevisView"
    page.wait_for_function(
        f"window.__facevis && {view}.status.state === 'finished'"
        f" && {view}.stage?.player.frame?.step === 60",
        timeout=60_000,
    )
    page.wait_for_timeout(800)
    assert word in page.locator(".fv-exact").inner_text()
    assert page.evaluate(f"{view}.run.embedding_dim") == 8
    # The three prototypes and every cosine to them, as the picture has them.
    lengths = page.evaluate(
        f"""(() => {{ const {{ prototypes }} = {view}.stage.cells[2].player.picture;
          const row = (c) => prototypes.subarray(3 * c, 3 * c + 3);
          return [0, 1, 2].map((c) => Math.hypot(...row(c))); }})()"""
    )
    assert all(abs(length - 1) < 1e-4 for length in lengths)
    assert not page.faults
