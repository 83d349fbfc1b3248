"""Live regions, in a browser: what is refreshed, what is left alone, and what happens when the line breaks."""

import base64

from playwright.sync_api import Page, Route, expect

from tests.ui_islands.double import Double

DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
"""A PNG of one pixel."""


def open_live(page: Page, origin: str, double: Double) -> None:
    before = len(double.event_requests)
    page.goto(f"{origin}/live")
    for _ in range(100):
        if len(double.event_requests) > before:
            return
        page.wait_for_timeout(30)
    raise AssertionError("the page did not ask for events")


def test_a_region_follows_its_topics_and_says_so(page: Page, origin: str, double: Double) -> None:
    double.fragment = "<p>first</p>"
    open_live(page, origin, double)
    double.fragment = "<p>second</p>"
    double.emit("case:1")
    expect(page.locator("#one")).to_have_text("second")
    expect(page.locator("[data-live-spoken]")).to_have_text("Worklist updated")
    expect(page.locator("#two")).to_have_text("untouched")


def test_focus_and_typing_survive_a_refresh(page: Page, origin: str, double: Double) -> None:
    double.fragment = '<a href="/live?x" id="link">open</a><input name="q">'
    open_live(page, origin, double)
    page.locator("#link").focus()
    double.fragment = '<b>new</b><a href="/live?x" id="link">open</a><input name="q">'
    double.emit("worklist")
    expect(page.locator("#one b")).to_have_text("new")
    assert page.evaluate("document.activeElement.id") == "link"

    page.locator("#one input").fill("half a wo")
    double.fragment = '<b>newer</b><a href="/live?x" id="link">open</a><input name="q">'
    double.emit("worklist")
    page.wait_for_timeout(600)
    expect(page.locator("#one b")).to_have_text("new")
    expect(page.locator("#one input")).to_have_value("half a wo")
    page.locator("#one input").fill("")
    page.locator("#link").focus()
    expect(page.locator("#one b")).to_have_text("newer")


def test_an_island_at_work_is_moved_into_the_new_content(page: Page, origin: str, double: Double) -> None:
    double.fragment = '<p>1</p><div data-island="demo"></div>'
    open_live(page, origin, double)
    page.evaluate("""() => {
        const island = document.querySelector('[data-island=demo]');
        island.dataset.mounted = '';
        island.textContent = 'half way';
    }""")
    double.fragment = '<p>2</p><div data-island="demo"></div>'
    double.emit("worklist")
    expect(page.locator("#one p")).to_have_text("2")
    expect(page.locator("#one [data-island=demo]")).to_have_text("half way")


def test_after_a_break_nothing_is_missed(page: Page, origin: str, double: Double) -> None:
    double.fragment = "<p>1</p>"
    open_live(page, origin, double)
    double.fragment = "<p>2</p>"
    double.emit("worklist")
    expect(page.locator("#one")).to_have_text("2")
    # The stream ends; what happens before the reconnect is asked for by the last id.
    double.drop_events += 1
    double.fragment = "<p>3</p>"
    double.emit("worklist")
    expect(page.locator("#one")).to_have_text("3")
    # The last event may still have come over the ending stream; then the reconnect asks for what is after it.
    for _ in range(200):
        if len(double.event_requests) > 1:
            break
        page.wait_for_timeout(25)
    assert double.event_requests[-1] in {"1", "2"}


def test_several_tabs_share_one_connection_and_hand_it_on(page: Page, origin: str, double: Double) -> None:
    double.fragment = "<p>1</p>"
    open_live(page, origin, double)
    second = page.context.new_page()
    second.goto(f"{origin}/live")
    second.bring_to_front()
    second.wait_for_timeout(300)
    assert len(double.event_requests) == 1
    double.fragment = "<p>2</p>"
    double.emit("worklist")
    expect(second.locator("#one")).to_have_text("2")
    page.close()
    double.fragment = "<p>3</p>"
    double.emit("worklist")
    expect(second.locator("#one")).to_have_text("3")
    assert double.event_requests == [None, "1"]
    second.close()


def test_a_tab_that_opens_later_is_told_what_happened_since_it_was_rendered(
    page: Page, origin: str, double: Double
) -> None:
    double.fragment = "<p>1</p>"
    page.goto(f"{origin}/live?since=0")
    double.fragment = "<p>2</p>"
    double.emit("worklist")
    expect(page.locator("#one")).to_have_text("2")
    # Rendered before that event, its script began after it: the first tab's word went out in between.
    second = page.context.new_page()
    second.goto(f"{origin}/live?since=0&shows=1")
    second.bring_to_front()
    expect(second.locator("#one")).to_have_text("2")
    expect(second.locator("#two")).to_have_text("untouched")
    # Older than what the first tab knows: everything is fetched anew.
    page.goto("about:blank")
    second.goto(f"{origin}/live?since=1")
    page.goto(f"{origin}/live?since=0&shows=1")
    page.bring_to_front()
    expect(page.locator("#one")).to_have_text("2")
    assert double.event_requests.count("0") == 1
    second.close()


def test_only_the_sign_in_page_means_signed_out(page: Page, origin: str, double: Double) -> None:
    page.goto(f"{origin}/live?since=0")
    double.fragment_moved_to = "/elsewhere"
    with page.expect_response("**/elsewhere"):
        double.emit("worklist")
    double.fragment_moved_to = ""
    double.fragment = "<p>later</p>"
    double.emit("worklist")
    expect(page.locator("#one")).to_have_text("later")
    expect(page.locator("[data-live-status]")).to_be_hidden()
    double.fragment_moved_to = "/sign-in"
    double.emit("worklist")
    expect(page.locator("[data-live-status]")).to_contain_text("Your session has ended.")


def test_an_ended_session_is_said(page: Page, origin: str, double: Double) -> None:
    double.signed_out = True
    page.goto(f"{origin}/live")
    expect(page.locator("[data-live-status]")).to_contain_text("Your session has ended.")


def test_a_small_picture_that_is_not_drawn_yet_is_asked_for_again(page: Page, origin: str, double: Double) -> None:
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) <= 2:
            route.fulfill(status=200, content_type="image/jpeg", body=b"not drawn yet")
        else:
            route.fulfill(status=200, content_type="image/png", body=base64.b64decode(DOT))

    page.route("**/small.png", answer)
    double.fragment = '<img src="/small.png" alt="">'
    open_live(page, origin, double)
    double.fragment = '<b>new</b><img src="/small.png" alt="">'
    double.emit("worklist")
    expect(page.locator("#one b")).to_have_text("new")
    for _ in range(200):
        if page.locator("#one img").evaluate("picture => picture.naturalWidth") == 1:
            break
        page.wait_for_timeout(50)
    assert page.locator("#one img").evaluate("picture => picture.naturalWidth") == 1
