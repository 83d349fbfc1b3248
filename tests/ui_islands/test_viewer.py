"""The viewer over DICOMweb, in a browser: what is drawn, what is kept, and what a person is told."""

import base64
from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page, expect

from tests.ui_islands.double import Double
from tests.ui_islands.synthetic import CT_SLICES, STUDY

CT = f"{STUDY}.10"


def open_viewer(page: Page, origin: str, query: str = "") -> None:
    page.goto(f"{origin}/viewer{query}")
    expect(position(page)).to_have_text(f"Image {CT_SLICES // 2 + 1} of {CT_SLICES}")
    expect(page.locator(".iv-message")).to_be_hidden()


def position(page: Page) -> Any:
    return page.locator("[data-pane=pane-0] .iv-line--position")


def choose(page: Page, name: str) -> None:
    page.locator(".iv-card", has_text=name).click()
    expect(page.locator("[data-pane=pane-0] .iv-line--title")).to_have_text(name)
    expect(page.locator("[data-pane=pane-0] .iv-message")).to_be_hidden()


def pixels(page: Page) -> NDArray[np.uint8]:
    """What is on the canvas of the first pane, as grey."""
    url = page.evaluate("document.querySelector('[data-pane=pane-0] canvas').toDataURL('image/png')")
    return np.asarray(Image.open(BytesIO(base64.b64decode(url.split(",")[1]))).convert("L"))


def until(page: Page, holds: Callable[[], bool], why: str) -> None:
    for _ in range(100):
        if holds():
            return
        page.wait_for_timeout(50)
    raise AssertionError(why)


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drags in the first pane; positions are shares of its width and height."""
    box = page.locator("[data-pane=pane-0]").bounding_box()
    assert box is not None
    place = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in (start, end)]
    page.mouse.move(*place[0])
    page.mouse.down()
    page.mouse.move((place[0][0] + place[1][0]) / 2, (place[0][1] + place[1][1]) / 2, steps=2)
    page.mouse.move(*place[1], steps=2)
    page.mouse.up()


def draw_length(page: Page) -> None:
    page.locator("[data-command=length]").click()
    drag(page, (0.45, 0.45), (0.55, 0.55))


def saved_words(double: Double) -> list[str]:
    return sorted(one["words"] for one in (double.annotations or {"annotations": []})["annotations"])


def test_a_stack_is_drawn_in_reading_order_and_scrolled(page: Page, origin: str) -> None:
    open_viewer(page, origin)
    surface = page.locator("[data-pane=pane-0] .iv-surface")
    until(page, lambda: len(np.unique(pixels(page))) > 4, "nothing was drawn")
    before = pixels(page)
    assert surface.get_attribute("data-instance") == f"{CT}.{CT_SLICES // 2 + 1}"
    expect(page.locator(".iv-caution")).to_have_text("CBCT: grey values are not Hounsfield units")

    surface.hover()
    page.mouse.wheel(0, 100)
    expect(position(page)).to_have_text(f"Image {CT_SLICES // 2 + 2} of {CT_SLICES}")
    until(page, lambda: not np.array_equal(before, pixels(page)), "the next image looks the same")
    surface.focus()
    page.keyboard.press("End")
    expect(position(page)).to_have_text(f"Image {CT_SLICES} of {CT_SLICES}")
    assert surface.get_attribute("data-instance") == f"{CT}.{CT_SLICES}"
    page.keyboard.press("2")
    expect(page.locator(".iv-line--window")).to_have_text("W 450  L 50")
    page.keyboard.press("0")
    expect(page.locator(".iv-line--window")).to_have_text("W 3500  L 900")


def test_each_kind_of_image_is_drawn_as_it_is_meant(page: Page, origin: str) -> None:
    open_viewer(page, origin)
    # MONOCHROME1: the high stored values around the tooth are dark, and stay so after invert, invert, reset.
    choose(page, "Periapical 36")

    def tooth_is_bright() -> bool:
        seen = pixels(page).astype(int)
        height, width = seen.shape
        return bool(seen[height // 2, width // 2] > 200 and seen[height // 2, int(width * 0.27)] < 40)

    until(page, tooth_is_bright, "MONOCHROME1 is drawn as a negative")
    page.locator("[data-command=invert]").click()
    until(page, lambda: not tooth_is_bright(), "invert does nothing")
    page.locator("[data-command=reset]").click()
    until(page, tooth_is_bright, "reset loses the polarity of MONOCHROME1")
    expect(page.locator(".iv-line--lengths")).to_have_text("Lengths: uncalibrated, at the detector")

    choose(page, "Panoramic")
    until(page, lambda: pixels(page).max() > 150, "zero pixel spacing blackens the image")
    expect(page.locator(".iv-line--lengths")).to_have_text("Lengths: uncalibrated, in pixels")
    expect(page.locator(".iv-caution")).to_have_text("A panoramic view magnifies and distorts")

    for name in ("Bitewing, JPEG-LS", "Bitewing, JPEG 2000"):
        choose(page, name)

        def ramps() -> bool:
            seen = pixels(page)
            row = seen[seen.shape[0] // 2].astype(int)
            middle = row[len(row) // 4 : 3 * len(row) // 4]
            return bool(middle[-1] - middle[0] > 60 and (np.diff(middle) >= -1).all())

        until(page, ramps, f"{name} is not decoded")


def test_the_frames_of_one_file_are_images_of_their_own(page: Page, origin: str) -> None:
    open_viewer(page, origin)
    choose(page, "Multi-frame")
    expect(page.locator("[data-pane=pane-0] .iv-line--lengths")).to_have_text("Lengths: calibrated")
    levels = []
    for number in (1, 2, 3):
        expect(position(page)).to_have_text(f"Image {number} of 3")
        page.wait_for_timeout(150)
        seen = pixels(page)
        levels.append(int(seen[seen.shape[0] // 2, seen.shape[1] // 2]))
        page.keyboard.press("ArrowDown")
    assert levels[0] < 40 < 100 < levels[1] < 160 < 200 < levels[2]


def test_a_report_can_be_typed_beside_the_images(page: Page, origin: str) -> None:
    page.goto(f"{origin}/reading")
    expect(position(page)).to_have_text(f"Image 13 of {CT_SLICES}")
    # Keys act on the image only while the viewer has the focus.
    page.locator("textarea").press_sequentially("lik?")
    expect(page.locator("textarea")).to_have_value("lik?")
    assert page.locator("dialog").count() == 0
    box = page.locator(".iv").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 800


def test_marks_are_saved_and_drawn_again(page: Page, origin: str, double: Double) -> None:
    open_viewer(page, origin)
    draw_length(page)
    page.locator("[data-command=arrow]").click()
    drag(page, (0.4, 0.3), (0.5, 0.2))
    page.locator("dialog input").fill("Apical lesion 36")
    page.locator("dialog button[type=submit]").click()
    until(page, lambda: len(saved_words(double)) == 2, "two marks were not saved")
    length, text = saved_words(double)
    assert length.endswith(" mm")
    assert text == "Apical lesion 36"
    expect(page.locator(".iv-status")).to_contain_text("Measurements saved")
    reference = double.annotations["annotations"][0]["reference"]  # type: ignore[index]
    assert reference == {"study": STUDY, "series": CT, "instance": f"{CT}.13", "frame": 1}

    page.reload()
    expect(position(page)).to_have_text(f"Image 13 of {CT_SLICES}")
    marks = page.locator("[data-pane=pane-0] svg.svg-layer")
    expect(marks).to_contain_text(length)
    expect(marks).to_contain_text("Apical lesion 36")
    saves = len(double.puts)
    page.keyboard.press("ArrowDown")
    page.locator(".iv-card[data-kind=mark]", has_text="Apical").click()
    expect(position(page)).to_have_text(f"Image 13 of {CT_SLICES}")
    assert [put["annotations"] for put in double.puts[saves:]] in ([], [double.puts[saves - 1]["annotations"]])


def test_a_deleted_mark_comes_back_on_undo(page: Page, origin: str, double: Double) -> None:
    open_viewer(page, origin)
    draw_length(page)
    until(page, lambda: len(saved_words(double)) == 1, "the length was not saved")
    kept = saved_words(double)
    page.locator("[data-command=remove-mark]").click()
    until(page, lambda: saved_words(double) == [], "the deletion was not saved")
    page.locator(".iv-notice button", has_text="Undo").click()
    until(page, lambda: saved_words(double) == kept, "undo did not bring it back")


def test_marks_of_two_windows_are_merged_and_the_person_is_told(page: Page, origin: str, double: Double) -> None:
    open_viewer(page, origin)
    draw_length(page)
    until(page, lambda: len(saved_words(double)) == 1, "the first mark was not saved")
    assert double.annotations is not None
    # Another window saves a mark of its own in the meantime.
    theirs = {**double.annotations["annotations"][0], "annotationUID": "theirs", "words": "from elsewhere"}
    double.annotations = {**double.annotations, "annotations": [*double.annotations["annotations"], theirs]}
    double.version += 1
    drag(page, (0.45, 0.3), (0.6, 0.3))
    until(page, lambda: len(saved_words(double)) == 3, "one side's marks were lost")
    assert "from elsewhere" in saved_words(double)
    expect(page.locator(".iv-notice")).to_contain_text("also changed in another window")


def test_a_lost_line_keeps_marks_until_it_is_back(page: Page, origin: str, double: Double) -> None:
    open_viewer(page, origin)
    page.context.set_offline(True)
    draw_length(page)
    expect(page.locator(".iv-status")).to_contain_text("kept in this window")
    page.context.set_offline(False)
    until(page, lambda: len(saved_words(double)) == 1, "the mark was not saved when the line was back")


def test_a_key_image_is_sent_with_its_marks(page: Page, origin: str, double: Double) -> None:
    open_viewer(page, origin)
    draw_length(page)
    page.keyboard.press("k")
    page.locator("dialog input").fill("Region 36")
    page.keyboard.press("Enter")
    expect(page.locator(".iv-section--keys .iv-card")).to_have_text("Region 36")
    (sent,) = double.key_images
    assert {name: sent[name] for name in ("series_uid", "instance_uid", "frame", "caption")} == {
        "series_uid": CT,
        "instance_uid": f"{CT}.13",
        "frame": 1,
        "caption": "Region 36",
    }
    picture = np.asarray(Image.open(BytesIO(base64.b64decode(sent["png"].split(",")[1]))).convert("RGB")).astype(int)
    assert max(picture.shape) >= 700
    coloured = np.ptp(picture, axis=2) > 60
    assert coloured.any(), "the mark is not in the picture"
    assert (picture.max(axis=2) > 60).mean() > 0.3, "the image is not in the picture"


def test_read_only_offers_nothing_that_writes(page: Page, origin: str, double: Double) -> None:
    open_viewer(page, origin, "?readonly=1")
    assert page.locator("[data-command=length], [data-command=arrow], [data-command=key-image]").count() == 0
    drag(page, (0.5, 0.5), (0.5, 0.7))
    page.locator("[data-pane=pane-0] .iv-surface").focus()
    for key in ("l", "k", "Delete"):
        page.keyboard.press(key)
    drag(page, (0.4, 0.4), (0.6, 0.6))
    page.wait_for_timeout(1200)
    assert (double.puts, double.key_images) == ([], [])


def test_photographs_and_documents_are_listed_and_shown(page: Page, origin: str) -> None:
    open_viewer(page, origin)
    page.locator(".iv-card", has_text="frontal.jpg").click()
    until(page, lambda: page.locator(".iv-photo").evaluate("image => image.naturalWidth") == 800, "no photograph")
    expect(page.locator("[data-command=length]")).to_be_disabled()
    page.locator(".iv-card", has_text="referral.pdf").click()
    expect(page.locator(".iv-document a")).to_have_attribute("href", "/referral.pdf")
    page.locator(".iv-card", has_text="Axial").click()
    expect(page.locator(".iv-file")).to_be_hidden()


def test_an_ended_session_is_said_in_a_sentence_and_recovers(page: Page, origin: str, double: Double) -> None:
    double.signed_out = True
    page.goto(f"{origin}/viewer")
    expect(page.locator("[data-pane=pane-0] .iv-message")).to_contain_text("Your session has ended.")
    double.signed_out = False
    page.locator("[data-pane=pane-0] .iv-message button").click()
    expect(position(page)).to_have_text(f"Image 13 of {CT_SLICES}")


def test_an_image_that_failed_for_want_of_a_line_is_drawn_when_it_is_back(
    page: Page, origin: str, double: Double
) -> None:
    double.slow_frames = 0.15
    open_viewer(page, origin)
    page.context.set_offline(True)
    page.locator("[data-pane=pane-0] .iv-surface").focus()
    page.keyboard.press("Home")
    expect(page.locator("[data-pane=pane-0] .iv-message")).to_contain_text("no connection")
    page.context.set_offline(False)
    expect(page.locator("[data-pane=pane-0] .iv-message")).to_be_hidden()
    expect(position(page)).to_have_text(f"Image 1 of {CT_SLICES}")
    expect(page.locator("[data-pane=pane-0] .iv-line--loading")).to_have_text("", timeout=10_000)


def test_a_pane_that_was_taken_away_is_let_go(page: Page, origin: str) -> None:
    open_viewer(page, origin)
    panes = page.locator(".iv-pane")
    for layout, count in [("2x2", 4), ("1x1", 1), ("2x2", 4), ("1x1", 1)]:
        page.locator(f"[data-command='layout-{layout}']").click()
        expect(panes).to_have_count(count)
    devtools = page.context.new_cdp_session(page)
    prototype = devtools.send("Runtime.evaluate", {"expression": "HTMLElement.prototype"})["result"]["objectId"]

    count_panes = """function () {
        return this.filter((one) => one.constructor.prototype !== one && one.dataset?.pane).length;
    }"""

    def kept() -> int:
        devtools.send("HeapProfiler.collectGarbage")
        found = devtools.send("Runtime.queryObjects", {"prototypeObjectId": prototype})["objects"]["objectId"]
        call = {"objectId": found, "functionDeclaration": count_panes, "returnByValue": True}
        counted = devtools.send("Runtime.callFunctionOn", call)
        devtools.send("Runtime.releaseObject", {"objectId": found})
        return int(counted["result"]["value"])

    until(page, lambda: kept() == 1, "panes that left the page are still held")


def test_an_image_that_fits_still_fits_when_the_window_changes(page: Page, origin: str) -> None:
    open_viewer(page, origin)
    zoom = page.locator("[data-pane=pane-0] .iv-line--zoom")
    expect(zoom).not_to_be_empty()
    fitting = zoom.inner_text()
    page.set_viewport_size({"width": 1000, "height": 500})
    expect(zoom).not_to_have_text(fitting)
    page.set_viewport_size({"width": 1280, "height": 800})
    expect(zoom).to_have_text(fitting)


def test_a_patient_sees_few_tools_in_plain_words(page: Page, origin: str) -> None:
    open_viewer(page, origin, "?patient=1")
    words = page.locator(".iv-toolbar .iv-button-word").all_inner_texts()
    assert words == ["Scroll", "Brightness", "Zoom", "Move", "Rotate", "Reset", "Images"]
    expect(page.locator(".iv-line--window")).to_be_hidden()
