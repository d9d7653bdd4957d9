"""A lecture with a class in real browsers: come in, follow, vote, look around, watch a run."""

import re

import pytest
from browser.test_accessibility import RUN, axe  # noqa: F401
from heard import Heard

from facevis.i18n import strings

EN, RU = strings("en"), strings("ru")
PHONE = {"width": 375, "height": 740}
SCREEN = {"width": 1280, "height": 720}
EXPECTED = ("status of 401", "status of 403", "already in CLOSING or CLOSED")
"""A door that is closed, a wrong code; a line that a test cuts is spoken into once more."""


@pytest.fixture(scope="module")
def room(serve, tmp_path_factory):
    """The app with a class let in; what its address for students is, and the code."""
    folder = tmp_path_factory.mktemp("room")
    command = (
        *("-m", "facevis", "app", "--classroom", "--no-browser", "--runs", str(folder)),
        *("--students-address", "127.0.0.1", "--votes", str(folder / "votes.csv"), "--port"),
    )
    with serve(*command) as app:
        address, code = re.search(r"come to (\S+), join code (\w+)", app.log.read_text()).groups()
        yield app.url, address, code


@pytest.fixture
def visit(browser, room):
    """New browsers; a student's has joined by the QR code's link."""
    _, address, code = room
    contexts = {}

    def opened(who="student", **options):
        window = PHONE if who == "student" else SCREEN
        look = {"viewport": window, "locale": "en-US", "reduced_motion": "reduce"}
        context = browser.new_context(**look | options)
        contexts[context] = Heard(context)
        page = context.new_page()
        page.faults = []
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.on("console", lambda m: page.faults.append(m.text) if _is_fault(m) else None)
        if who == "student":
            page.goto(f"{address}/#{code}")
            page.wait_for_selector(".fv-way")
        return page

    yield opened
    faults = [fault for context in contexts for page in context.pages for fault in page.faults]
    foreign = [heard.foreign(*context.pages) for context, heard in contexts.items()]
    for context in contexts:
        context.close()
    assert faults == []
    assert not any(foreign)


def _is_fault(message):
    return message.type == "error" and not any(text in message.text for text in EXPECTED)


def teach(page, room, number, **query):
    """The lecturer goes to a lesson."""
    more = "".join(f"&{name}={value}" for name, value in query.items())
    page.goto(f"{room[0]}/lecture?lesson={number}{more}")
    on_lesson(page, number)
    page.wait_for_selector(".fv-question[data-vote=closed]")


def on_lesson(page, number):
    page.wait_for_selector(f".fv-lesson h1:has-text('{number} ')", timeout=20_000)


def votes_are(page, state):
    page.wait_for_selector(f".fv-question[data-vote={state}]", timeout=10_000)


def vote(page, choice):
    votes_are(page, "open")
    page.locator(".fv-option").nth(choice).click()
    page.locator(".fv-question").get_by_role("button", name=EN["live_room_vote"]).click()
    page.get_by_text(EN["live_room_counted"]).wait_for()


def numbers(page):
    return [text for text in page.locator(".fv-poll-number").all_inner_texts() if text]


def test_a_class_comes_in_follows_votes_and_sees_the_answer(visit, room, browser):
    _, address, code = room
    lecturer = visit("lecturer")
    by_link, other = visit(), visit()
    by_hand = visit("lecturer", viewport=PHONE)
    by_hand.goto(address)
    field = by_hand.get_by_label(EN["live_room_code"])
    field.fill("WRONG1")
    field.press("Enter")
    by_hand.get_by_text(EN["live_room_join_wrong"]).wait_for()
    field.fill(code.lower())
    field.press("Enter")
    students = [by_link, other, by_hand]
    for student in students:
        student.get_by_text(EN["live_room_none"]).wait_for()
    assert code not in by_link.url  # nobody reads it over a shoulder
    teach(lecturer, room, 4, view="present")
    for student in students:
        on_lesson(student, 4)
    lecturer.keyboard.press("ArrowRight")
    for student, choice in zip(students[:2], (0, 1), strict=True):
        vote(student, choice)
    lecturer.get_by_text("2 of 3 have voted").wait_for()
    assert numbers(lecturer)[:2] == ["1 · 50 %", "1 · 50 %"]
    assert numbers(by_link) == []  # others' votes are not for those who still choose
    by_link.reload()
    by_link.get_by_text(EN["live_room_counted"]).wait_for()
    assert by_link.locator(".fv-option input").first.is_checked()
    lecturer.keyboard.press("Enter")
    by_hand.get_by_text(EN["live_room_is_locked_without"]).wait_for()
    assert by_hand.locator(".fv-answer").inner_text() == ""
    votes_are(lecturer, "locked")
    lecturer.keyboard.press("PageDown")
    late = visit(locale="ru-RU", color_scheme="dark")
    for page in [lecturer, late, *students]:
        page.wait_for_selector(".fv-lesson[data-phase=open]")
        assert page.locator(".fv-answer").inner_text()
        assert page.locator(".fv-takeaway").inner_text().strip().count(" ") > 3
        assert numbers(page)[:2] == ["1 · 50 %", "1 · 50 %"]
    late.get_by_text(RU["live_room_everybody"].format(n=2)).wait_for()
    assert by_link.locator(".fv-controls input:enabled").count() > 0
    # The whole flow in the presenter view is as high as the hall's screen.
    assert lecturer.evaluate("document.querySelector('.fv-lesson').offsetHeight <= innerHeight")
    lecturer.keyboard.press("ArrowRight")
    for student in students:
        on_lesson(student, 5)
        votes_are(student, "closed")


def test_the_bars_can_wait_and_a_vote_can_be_held_again(visit, room):
    lecturer, student = visit("lecturer"), visit()
    teach(lecturer, room, 3)
    lecturer.get_by_label(EN["live_room_hide"]).check()
    lecturer.get_by_role("button", name=EN["live_room_open"]).click()
    vote(student, 2)
    lecturer.get_by_text(
        re.compile("^1 of . have voted")
    ).wait_for()  # who has left keeps the seat a while
    assert numbers(lecturer) == []
    lecturer.get_by_role("button", name=EN["live_room_lock"]).click()
    lecturer.get_by_text("1 · 100 %").wait_for()
    lecturer.get_by_role("button", name=EN["live_room_reveal"]).click()
    student.wait_for_selector(".fv-lesson[data-phase=open]")
    lecturer.get_by_role("button", name=EN["live_room_again"]).click()
    for page in (lecturer, student):
        votes_are(page, "closed")
        page.wait_for_selector(".fv-lesson[data-phase=ask]")
    assert student.locator(".fv-answer").inner_text() == ""
    assert student.locator(".fv-option input:checked").count() == 0
    lecturer.keyboard.press("j")
    panel = lecturer.get_by_role("dialog")
    assert panel.locator(".fv-room-code").inner_text() == room[2]
    assert panel.locator("img").evaluate("(image) => image.decode().then(() => true)")
    lecturer.keyboard.press("PageDown")  # a clicker closes it, and does no more
    panel.wait_for(state="hidden")
    votes_are(lecturer, "closed")


def test_who_looks_around_comes_back_with_one_press(visit, room):
    lecturer, student = visit("lecturer"), visit()
    teach(lecturer, room, 9)
    on_lesson(student, 9)
    student.get_by_role("button", name=EN["live_room_roam"]).click()
    student.get_by_label(EN["live_room_menu"]).select_option("7")
    on_lesson(student, 7)
    student.locator(".fv-option").nth(1).click()
    student.get_by_role("button", name=EN["live_lesson_lock"]).click()
    student.get_by_role("button", name=EN["live_lesson_reveal"]).click()
    student.wait_for_selector(".fv-lesson[data-phase=open]")
    slider = student.locator(".fv-controls input[type=range]").first
    slider.focus()
    slider.press("Home")
    student.get_by_role("button", name=EN["live_lesson_try"]).click()
    assert student.locator(".fv-try-form .fv-number").nth(1).input_value() == "0"  # m2, as set
    student.get_by_role("button", name=EN["live_room_try_train"]).click()
    student.wait_for_selector(".fv-try-run .fv-where")
    student.wait_for_function(
        "() => Number(document.querySelector('.fv-where').innerText.match(/\\d+/)?.[0]) > 0"
    )
    buttons = student.locator(".fv-try-run .fv-transport button").all_inner_texts()
    assert set(buttons) <= {EN[f"live_{key}"] for key in ("hold", "follow", "play", "replay")}
    student.get_by_text("The lecturer shows: 9").wait_for()
    student.get_by_role("button", name=EN["live_room_go_there"]).click()
    on_lesson(student, 9)
    votes_are(student, "closed")


def test_the_lecturers_live_run_is_seen_and_not_steered(visit, room):
    lecturer, student = visit("lecturer"), visit()
    lecturer.goto(f"{room[0]}/?loss=arcface&seed=5")
    lecturer.wait_for_selector(".fv-where")
    student.get_by_role("heading", name=EN["live_room_run_title"]).wait_for()
    student.wait_for_selector(".fv-formula-live")
    assert student.locator(".fv-slider").count() == 0
    lecturer.get_by_role("button", name=EN["live_train"]).click()
    m2 = lecturer.locator(".fv-slider[data-name=m2] .fv-number")
    m2.fill("0.2")
    m2.press("Enter")
    # Steered, it is a run of its own: the class goes with it, without another word.
    student.wait_for_function(
        "() => document.querySelector('.fv-formula-live')?.innerText.includes('0.20')",
        timeout=15_000,
    )
    hold = student.get_by_role("button", name=EN["live_hold"], exact=True)
    hold.click()
    student.get_by_text(EN["live_state_held"]).wait_for()
    where = student.locator(".fv-where").inner_text()
    lecturer.wait_for_function(f"() => document.querySelector('.fv-where').innerText !== '{where}'")
    assert student.locator(".fv-where").inner_text() == where


def test_what_was_on_screen_stays_when_the_line_breaks(visit, room):
    _, address, code = room
    lecturer = visit("lecturer")
    student = visit("lecturer", viewport=PHONE)
    lines = []

    def through(line):
        line.connect_to_server()
        lines.append(line)

    student.route_web_socket("**/facevis/seat", through)
    student.goto(f"{address}/#{code}")
    teach(lecturer, room, 7)
    lecturer.keyboard.press("Enter")
    vote(student, 1)
    lines[-1].close(code=4000)
    student.get_by_text(EN["live_room_lost"]).wait_for()
    assert student.locator(".fv-option input").nth(1).is_checked()
    student.get_by_text(EN["live_room_lost"]).wait_for(state="hidden")
    assert len(lines) > 1
    student.get_by_text(EN["live_room_counted"]).wait_for()
    lecturer.keyboard.press("Enter")
    student.get_by_text(EN["live_room_is_locked"]).wait_for()


@pytest.mark.parametrize(("theme", "language"), [("light", "en"), ("dark", "ru")])
def test_everybody_can_use_it(visit, room, axe, theme, language):  # noqa: F811
    number = {"light": 8, "dark": 10}[theme]
    look = {"color_scheme": theme}
    lecturer = visit("lecturer", **look)
    student = visit(locale=f"{language}-{language.upper()}", bypass_csp=True, **look)
    door = visit("lecturer", viewport=PHONE, bypass_csp=True, **look)
    door.goto(room[1])
    door.wait_for_selector(".fv-code-field")
    teach(lecturer, room, number, lang=language)
    on_lesson(student, number)

    def look_at(*pages):
        for page in pages:
            page.wait_for_timeout(300)  # what fades has faded
            page.evaluate(axe)
            assert page.evaluate(RUN) == []

    look_at(door, student, lecturer)
    lecturer.keyboard.press("Enter")
    votes_are(student, "open")
    student.keyboard.press("2")
    student.keyboard.press("Enter")
    student.wait_for_selector(".fv-lesson[data-phase=locked]")
    lecturer.get_by_text("1 · 100 %").wait_for()
    look_at(student, lecturer)
    lecturer.keyboard.press("PageDown")
    votes_are(lecturer, "locked")
    lecturer.keyboard.press("PageDown")
    student.wait_for_selector(".fv-lesson[data-phase=open]")
    lecturer.keyboard.press("j")
    lecturer.wait_for_selector("dialog[open]")
    look_at(student, lecturer)
    student.locator(".fv-way").nth(1).click()
    student.locator(".fv-room-bar select").select_option("try")
    look_at(student)
