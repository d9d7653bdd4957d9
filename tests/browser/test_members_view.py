"""Comparison and sweep in a real browser: one camera, one moment, and a slider that asks nobody."""

import pytest

VIEW = "document.querySelector('.fv-root').parentElement.__facevisView"


def finished(page, url, steps):
    page.goto(url)
    page.wait_for_function(f"window.__facevis && {VIEW}.stage?.scene.ready", timeout=60_000)
    page.wait_for_function(
        f"{VIEW}.status.state === 'finished' && {VIEW}.stage.player.frame?.step === {steps}"
        f" && {VIEW}.stage.player.reached",
        timeout=60_000,
    )


def scripted(page, code):
    return page.evaluate(f"(() => {{ {code} }})()")


@pytest.mark.parametrize("dim", [2, 3])
def test_members_stand_side_by_side_on_one_camera(page, app_url, dim):
    finished(page, f"{app_url}/compare?losses=five&dim={dim}&steps=60", 60)
    assert page.locator(".fv-cell").count() == 5
    assert page.locator(".fv-plot").count() == 1
    assert page.evaluate("window.__facevis.at(-1).plotlyNewPlots") == 1
    colourful = f"""
      return {VIEW}.stage.cells.map(({{ layer: {{ canvas, context }} }}) => {{
        const {{ data }} = context.getImageData(0, 0, canvas.width, canvas.height);
        let count = 0;
        for (let i = 0; i < data.length; i += 4) {{
          count += data[i + 3] > 0 && Math.max(...data.subarray(i, i + 3))
            - Math.min(...data.subarray(i, i + 3)) > 60;
        }}
        return count;
      }});"""
    before = scripted(page, colourful)
    assert min(before) > 300
    place = f"""
      return {VIEW}.stage.cells.map(({{ layer }}) => [...layer.xy.subarray(0, 40)]);"""
    start = scripted(page, place)
    box = page.locator(".fv-stage").nth(3).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 50, y + 20, steps=8)
    page.mouse.up()
    page.wait_for_timeout(500)
    assert scripted(
        page, f"return {VIEW}.skeleton.plot.parentElement === {VIEW}.skeleton.places[3].area;"
    )
    for one, other in zip(start, scripted(page, place), strict=True):
        assert max(abs(a - b) for a, b in zip(one, other, strict=True)) > 5
    assert page.faults == []


def test_the_table_speaks_of_every_member_and_the_scrub_bar_moves_all(page, app_url):
    finished(page, f"{app_url}/compare?losses=five&steps=80", 80)
    page.wait_for_timeout(600)
    rows = page.locator(".fv-angles tbody tr")
    assert rows.count() == 5
    shown = [rows.nth(i).locator("td").all_text_contents() for i in range(5)]
    frame = page.evaluate(f"{VIEW}.stage.player.frame.statistics")
    for cells, statistics in zip(shown, frame, strict=True):
        assert cells[0] == f"{100 * statistics['accuracy']:.1f} %"
        assert cells[-1] == f"{statistics['unseen_inter']:.1f}°"
    page.locator(".fv-scrub").fill("3")
    page.wait_for_function(
        f"{VIEW}.stage.cells.every(({{player}}) => player.frame.step === 3 && player.reached)"
    )
    page.wait_for_timeout(600)
    assert rows.nth(0).locator("td").all_text_contents() != shown[0]
    assert page.faults == []


def test_a_click_takes_a_step_apart_under_every_loss(page, app_url):
    finished(page, f"{app_url}/compare?losses=family&steps=40", 40)
    x, y = scripted(
        page,
        f"""
      const {{ layer, run }} = {VIEW}.stage.cells[3];
      const area = {VIEW}.skeleton.places[3].area.getBoundingClientRect();
      const i = run.labels.findIndex((label) => label === 3);
      return [area.left + layer.xy[2 * i], area.top + layer.xy[2 * i + 1]];""",
    )
    page.mouse.move(x, y)
    page.mouse.click(x, y)
    page.wait_for_selector(".fv-anatomy tbody tr", timeout=15_000)
    assert page.locator(".fv-anatomy tbody tr").count() == 5
    pushes = scripted(
        page, f"return {VIEW}.stage.cells.map(({{ push }}) => [push?.exact, push?.detached]);"
    )
    assert all(exact and len(exact) == 2 for exact, _ in pushes)
    assert pushes[0][1] is None, "without a margin both gradients are one"
    assert "→" in page.locator(".fv-anatomy tbody tr").nth(3).inner_text()
    page.keyboard.press("Escape")
    page.wait_for_selector(".fv-anatomy tbody tr", state="hidden")
    assert scripted(page, f"return {VIEW}.stage.cells.every(({{ push }}) => push === null);")
    page.mouse.click(x, y)
    page.wait_for_selector(".fv-anatomy tbody tr", timeout=15_000)
    page.get_by_role("button", name="New seed").click()
    page.wait_for_selector(".fv-anatomy tbody tr", state="hidden")
    assert page.faults == []


def test_a_member_that_diverged_is_marked_and_the_others_are_not(page, app_url):
    finished(page, f"{app_url}/compare?losses=softmax_arcface&steps=30", 30)
    page.wait_for_timeout(500)
    scripted(
        page,
        f"""const {{ frame }} = {VIEW}.stage.player; {VIEW}.panel.tablePace.last = -1e9;
        {VIEW}.panel.history({VIEW}.store, {{ ...frame, losses: [null, 1.5] }});""",
    )
    assert page.locator(".fv-diverged").nth(0).is_visible()
    assert not page.locator(".fv-diverged").nth(1).is_visible()


def test_the_slider_walks_through_trained_models_and_asks_nobody(page, app_url):
    finished(page, f"{app_url}/scrub?sweep=m2&from=0&to=1&n=7&unseen=3&s=24&steps=120", 120)
    page.wait_for_timeout(1200)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    scripted(
        page,
        """const send = WebSocket.prototype.send; window.__sent = 0;
        WebSocket.prototype.send = function (...a) { window.__sent += 1; send.apply(this, a); };""",
    )
    box = page.locator(".fv-scrub-range").bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, y)
    page.mouse.down()
    for share in (0.6, 0.7, 0.8, 0.9, 0.8, 0.26):
        page.mouse.move(box["x"] + share * box["width"], y)
        page.wait_for_timeout(60)
    between = page.evaluate(f"{VIEW}.panel.at")
    page.mouse.up()
    page.wait_for_timeout(300)
    at = page.evaluate(f"{VIEW}.panel.at")
    assert at == round(between) == 5
    assert asked == []
    assert page.evaluate("window.__sent") == 0
    assert page.evaluate("window.__facevis.at(-1).sliderToPaint.length") >= 6
    far = scripted(
        page,
        f"""
      const {{ player, run }} = {VIEW}.stage.cells[0];
      const {{ frame, picture }} = player;
      const size = run.points * run.dim;
      const own = frame.points.subarray({at} * size, ({at} + 1) * size);
      return Math.max(...picture.points.map((v, i) => Math.abs(v - own[i] / 32767)));""",
    )
    assert far < 1e-6
    assert "0.25" in page.locator(".fv-scrub-value").inner_text()
    assert page.faults == []


def test_another_sweep_brings_its_own_slider_and_curves(page, app_url):
    finished(page, f"{app_url}/scrub?sweep=m2&from=0&to=1&models=9&n=7&unseen=3&s=24&steps=30", 30)
    page.locator(".fv-scrub-range").press("End")
    page.get_by_role("spinbutton", name="Models").fill("4")
    page.get_by_role("spinbutton", name="Models").press("Enter")
    page.wait_for_function(f"{VIEW}.run?.members.length === 4 && {VIEW}.stage?.player.frame")
    assert page.locator(".fv-scrub-range").get_attribute("max") == "3"
    page.get_by_text("m3", exact=True).first.click()
    page.wait_for_function(
        f"{VIEW}.run?.members[3].margin[2] === 0.6 && {VIEW}.stage?.player.frame"
    )
    page.wait_for_timeout(800)
    assert page.locator(".fv-scrub-ends").inner_text().split() == ["0", "0.6"]
    page.locator(".fv-scrub-range").press("End")
    assert page.locator(".fv-scrub-value").inner_text() == "m₃ = 0.6"
    ticks = page.locator(".fv-sweep-curves svg").first.locator("text").all_text_contents()
    assert "0.6" in ticks
    assert page.faults == []


def test_arrow_keys_go_from_model_to_model_and_the_bound_is_drawn(page, app_url):
    finished(page, f"{app_url}/scrub?sweep=m3&from=0&to=0.6&n=7&s=24&steps=40", 40)
    slider = page.locator(".fv-scrub-range")
    slider.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(f"{VIEW}.panel.at") == 1
    assert page.locator(".fv-scrub-value").inner_text().endswith("0.03")
    page.wait_for_timeout(700)
    # 1 − cos(360°/7) = 0.3765: the largest m3 that seven classes on a circle can keep.
    assert page.evaluate(f"{VIEW}.panel.sweep.bound") == pytest.approx(0.3765, abs=1e-4)
    assert page.locator(".fv-sweep-curves .fv-area.fv-tone-warn").count() == 4
    page.keyboard.press("End")
    page.wait_for_selector(".fv-gauge[data-fits=false]")
    assert page.faults == []
