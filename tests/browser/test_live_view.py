"""The live view in a real browser: it draws, it learns, it keeps the camera, it obeys."""

import json
import re
import time

import pytest
from PIL import Image

from facevis.i18n import strings

METRICS = "() => JSON.parse(JSON.stringify(window.__facevis?.at(-1) ?? null))"


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.faults = []
    page.hosts = set()
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on("console", lambda m: page.faults.append(m.text) if m.type == "error" else None)
    page.on("request", lambda r: page.hosts.add(r.url.split("/")[2].split(":")[0]))
    yield page
    context.close()


def until(page, condition, seconds=40):
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        metrics = page.evaluate(METRICS)
        if metrics and condition(metrics):
            return metrics
        page.wait_for_timeout(100)
    raise AssertionError(json.dumps(page.evaluate(METRICS))[:1500])


@pytest.mark.parametrize("dim", [2, 3])
def test_live_training_is_drawn_without_a_remount(page, app_url, dim):
    page.goto(f"{app_url}/?loss=arcface&dim={dim}&seed={40 + dim}&steps=200000")
    before = until(page, lambda m: m["snapshots"] > 10 and m["plotlyNewPlots"] == 1)
    after = until(page, lambda m: m["snapshots"] > before["snapshots"] + 30)
    assert after["plotlyNewPlots"] == before["plotlyNewPlots"] == 1
    assert max(shown["bytes"] for shown in after["painted"]) <= 15_000
    assert page.faults == []
    assert page.hosts <= {"localhost", "127.0.0.1", ""}


def test_a_slider_moves_the_running_training_and_the_link(page, app_url):
    page.goto(f"{app_url}/?loss=arcface&seed=50&steps=200000")
    until(page, lambda m: m["snapshots"] > 5)
    slider = page.get_by_label("ArcFace").and_(page.locator("input[type=range]"))
    slider.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    until(page, lambda m: len(m["sliderToTrained"]) > 0)
    page.wait_for_url("**m2=0.55*", timeout=15_000)
    assert "seed=50" in page.url
    assert page.faults == []


def test_a_shipped_recording_is_the_first_picture(page, app_url):
    page.goto(f"{app_url}/?preset=softmax")
    until(page, lambda m: m["snapshots"] > 0 and m["frames"] > 5)
    assert page.faults == []


def test_until_the_view_is_there_its_room_is_kept_and_says_so(page, app_url):
    held = []
    page.route("**/live.js", lambda route: held.append(route))
    page.goto(app_url)
    words = page.get_by_text(strings("en")["live_loading"])
    words.wait_for(timeout=20_000)
    room = words.bounding_box()["height"]
    assert room == pytest.approx(0.7 * 900, abs=2)
    held[0].continue_()
    until(page, lambda m: m["frames"] > 5)
    assert words.count() == 0


def test_a_clicked_button_leaves_the_keys_to_the_view(page, app_url):
    page.goto(f"{app_url}/?loss=arcface&seed=51&steps=200000&speed=20")
    until(page, lambda m: m["snapshots"] > 5)
    pause = page.get_by_role("button", name=strings("en")["live_pause"], exact=True)
    page.get_by_role("button", name=strings("en")["live_reseed"]).click()
    page.wait_for_url(lambda url: "seed=51" not in url, timeout=20_000)
    until(page, lambda m: m["snapshots"] > 5)
    pause.wait_for()
    link = page.url
    page.keyboard.press(" ")
    pause.wait_for(state="hidden")
    assert page.url == link, "the seed stays"
    assert page.faults == []


WITHOUT_WEBGL = """
  const { getContext } = HTMLCanvasElement.prototype;
  HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
    return kind.includes("webgl") ? null : getContext.call(this, kind, ...rest);
  };
"""


def test_without_webgl_the_sphere_says_what_to_do_and_the_circle_is_drawn(page, app_url):
    page.add_init_script(WITHOUT_WEBGL)
    page.goto(f"{app_url}/?loss=arcface&dim=3&seed=43&steps=200&lang=ru")
    notice = page.locator(".fv-notice", has_text=strings("ru")["live_no_webgl"])
    notice.wait_for(timeout=40_000)
    # Streamlit itself knows English alone.
    upload = page.get_by_test_id("stFileUploader").first
    upload.get_by_role("button", name=strings("ru")["upload_choose"]).wait_for()
    english = upload.get_by_text(re.compile("Upload|per file"))
    assert (
        english.evaluate_all("all => all.map((e) => getComputedStyle(e).fontSize)") == ["0px"] * 2
    )
    page.goto(f"{app_url}/?loss=arcface&dim=2&seed=42&steps=200000")
    until(page, lambda m: m["snapshots"] > 10 and m["plotlyNewPlots"] == 1)
    assert page.locator(".fv-notice").is_hidden()
    assert page.faults == []


PLOTLY_DREW = {
    2: "() => document.querySelectorAll('.fv-plot .scatterlayer path.point').length",
    # The sphere is grey: what is colourful are samples.
    3: """() => {
      const { gl, redraw } = document.querySelector('.fv-plot')._fullLayout.scene._scene.glplot;
      redraw();
      const [w, h] = [gl.drawingBufferWidth, gl.drawingBufferHeight];
      const bytes = new Uint8Array(4 * w * h);
      gl.readPixels(0, 0, w, h, gl.RGBA, gl.UNSIGNED_BYTE, bytes);
      let colourful = 0;
      for (let i = 0; i < bytes.length; i += 4) {
        const [r, g, b] = bytes.subarray(i, i + 3);
        colourful += Math.max(r, g, b) - Math.min(r, g, b) > 60;
      }
      return colourful;
    }""",
}


@pytest.mark.parametrize("dim", [2, 3])
def test_in_motion_the_canvas_draws_the_samples_and_at_rest_plotly_does(page, app_url, dim):
    page.goto(f"{app_url}/?loss=arcface&dim={dim}&seed={60 + dim}&steps=200000")
    until(page, lambda m: m["snapshots"] > 60 and m["plotlyNewPlots"] == 1)
    assert page.locator(".fv-plot.fv-moving").count() == 1
    in_motion = page.evaluate(PLOTLY_DREW[dim])
    page.locator(".fv-primary").click()
    page.wait_for_function("!document.querySelector('.fv-plot').matches('.fv-moving')")
    assert in_motion == 0
    assert page.evaluate(PLOTLY_DREW[dim]) > 500
    assert page.faults == []


def test_the_png_is_what_is_on_screen_and_a_change_of_language_keeps_the_readout(page, app_url):
    page.goto(f"{app_url}/?loss=arcface&dim=3&seed=70&steps=150&s=8")
    until(page, lambda m: m["snapshots"] > 0 and m["plotlyNewPlots"] == 1)
    page.wait_for_function("document.querySelector('.fv-state').dataset.state === 'finished'")
    with page.expect_download() as download:
        page.locator(".modebar-btn").first.click()
    with Image.open(download.value.path()) as picture:
        side = page.locator(".fv-stage").bounding_box()["width"]
        assert picture.width == pytest.approx(2 * side, abs=2)
        assert len(picture.convert("RGB").getcolors(2**24)) > 1000
    page.get_by_text("RU", exact=True).click()
    page.wait_for_function("document.querySelector('.fv-where').textContent === 'шаг 150 из 150'")
    assert page.faults == []


def test_keys_in_quick_succession_leave_the_last_value_in_the_link(page, app_url):
    page.goto(f"{app_url}/?loss=arcface&seed=71&steps=200000")
    until(page, lambda m: m["snapshots"] > 5)
    page.locator("[data-name=m2] input[type=range]").focus()
    for _ in range(7):
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(90)
    page.wait_for_url("**m2=0.57*", timeout=15_000)
    number = page.locator("[data-name=m2] input[type=number]")
    number.fill("99")
    number.press("Enter")
    assert number.input_value() == "1.20"
    page.wait_for_url("**m2=1.2&*", timeout=15_000)


MARKER = """async ([side]) => {
  const figure = await import(`${location.origin}/facevis/web/figure.js`);
  const host = document.createElement("div");
  host.style.cssText = `position: fixed; left: 0; top: 0; width: ${side}px; height: ${side}px`;
  document.body.append(host);
  const trace = figure.sampleTrace(3, { labels: [2], heldOut: null }, { width: side });
  Object.assign(trace, { visible: true, x: [0.6], y: [0.5], z: [0.4] });
  await Plotly.newPlot(host, [trace], figure.layoutFor(3), { plotGlPixelRatio: 1 });
  const { gl, redraw } = host._fullLayout.scene._scene.glplot;
  redraw();
  const [w, h] = [gl.drawingBufferWidth, gl.drawingBufferHeight];
  const bytes = new Uint8Array(4 * w * h);
  gl.readPixels(0, 0, w, h, gl.RGBA, gl.UNSIGNED_BYTE, bytes);
  const covered = bytes.filter((value, i) => i % 4 === 3 && value > 128).length;
  Plotly.purge(host);
  host.remove();
  return [Math.sqrt((4 * covered) / Math.PI), figure.markerSize(side)];
}"""


@pytest.mark.parametrize("side", [300, 514, 900])
def test_a_sample_on_the_sphere_is_as_large_in_plotly_as_on_the_canvas(page, app_url, side):
    page.goto(app_url)
    until(page, lambda m: m["plotlyNewPlots"] == 1)
    drawn, wanted = page.evaluate(MARKER, [side])
    # The canvas strokes an outline of 0.8 pixels, half of it outside.
    assert drawn == pytest.approx(wanted + 0.8, abs=1.0)
