"""What stands where on a phone and on a small screen, in a real browser before a real console."""

from collections.abc import Iterator
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import chromium, live, open_page
from tests.console import Console
from tests.servers import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.system]

PHONE = {"viewport": {"width": 390, "height": 800}}
DESK = {"viewport": {"width": 1280, "height": 800}}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module", autouse=True)
def _heard(console: Console) -> None:
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="screens-test-device")
    client.connect("127.0.0.1", console.broker_port)
    client.loop_start()
    for name in ("alpha", "beta", "gamma"):
        client.publish(f"screens/{name}", '{"temperature": 20.5}', qos=1).wait_for_publish(10)
    client.disconnect()
    client.loop_stop()


@pytest.fixture
def open_screen(browser: Browser, console: Console) -> Iterator[Any]:
    opened: list[tuple[Page, list[str]]] = []

    def on(**options: Any) -> Page:
        opened.append(open_page(browser, console, **options))
        return opened[-1][0]

    yield on
    for page, complaints in opened:
        page.context.close()
        assert not complaints


def await_rows(page: Page, address: str) -> None:
    def are_there() -> bool:
        page.goto(address)
        return page.locator("#rows tr").count() == 3

    wait_for(are_there, what="three rows")


def names(page: Page) -> list[str]:
    return [text.rpartition("/")[2] for text in page.locator("#rows tr td.path").all_inner_texts()]


def test_a_list_is_sorted_on_a_phone_by_keyboard_and_keeps_its_filters(open_screen: Any) -> None:
    page = open_screen(**PHONE)
    await_rows(page, "/topics/?search=screens/")
    assert names(page) == ["alpha", "beta", "gamma"]
    chosen = page.get_by_label("Sort by")
    assert chosen.input_value() == "topic"
    chosen.focus()
    page.keyboard.press("ArrowDown")
    page.wait_for_url("**/topics/?search=screens%2F&sort=-topic")
    assert names(page) == ["gamma", "beta", "alpha"]
    expect(page.get_by_label("Sort by")).to_have_value("-topic")
    expect(page.get_by_label("Sort by")).to_be_focused()


def test_a_list_is_sorted_on_a_phone_without_scripts(open_screen: Any) -> None:
    page = open_screen(**PHONE, java_script_enabled=False)
    await_rows(page, "/topics/?search=screens/")
    page.get_by_label("Sort by").select_option("-topic")
    page.get_by_role("button", name="Sort").click()
    assert names(page) == ["gamma", "beta", "alpha"]


def test_where_the_header_sorts_no_second_way_is_shown(open_screen: Any) -> None:
    page = open_screen(**DESK)
    await_rows(page, "/topics/?search=screens/")
    assert page.get_by_role("link", name="Heard").is_visible()
    assert not page.get_by_label("Sort by").is_visible()


def test_a_filter_keeps_the_focus_over_its_new_list(open_screen: Any) -> None:
    page = open_screen(**DESK)
    await_rows(page, "/topics/?search=screens/")
    page.get_by_label("Search", exact=True).fill("screens/b")
    page.keyboard.press("Enter")
    page.wait_for_url("**search=screens%2Fb*")
    expect(page.get_by_label("Search", exact=True)).to_be_focused()
    assert names(page) == ["beta"]
    page.goto("/topics/")
    assert page.evaluate("document.activeElement === document.body"), "only the list that was asked for"


def test_the_title_of_a_tab_counts_problems_as_they_come_and_go(open_screen: Any) -> None:
    page = open_screen(**DESK)
    page.route_web_socket("**", lambda _: None)  # what others left must not be pushed in between
    page.goto("/sites/")
    badge = "document.querySelector('#badge-gateways')"
    page.evaluate("document.querySelectorAll('#nav .n').forEach(one => one.textContent = '')")
    page.evaluate(f"{badge}.className = 'n warn'; {badge}.textContent = '2 late or offline'")
    expect(page).to_have_title("(2) Sites · Vedetta")
    page.evaluate(f"{badge}.textContent = ''")
    expect(page).to_have_title("Sites · Vedetta")


def test_the_name_of_a_connection_stays_on_one_line_beside_its_topics(open_screen: Any) -> None:
    page = open_screen(**DESK)
    await_rows(page, "/topics/?search=screens/")
    name = page.locator("#rows tr:first-child td.holder small")
    assert name.inner_text() == "Embedded broker"
    assert name.evaluate("one => one.getClientRects().length") == 1


@pytest.mark.parametrize("screen", [PHONE, DESK], ids=["phone", "desk"])
def test_what_a_device_is_like_is_seen_before_its_chart(open_screen: Any, screen: dict[str, Any]) -> None:
    page = open_screen(**screen)
    await_rows(page, "/sensors/?search=screens")
    page.click("#rows tr:first-child td.owner a")
    state, chart = page.locator("#state"), page.locator(".chart")
    expect(state).to_contain_text("online")
    above, below = state.bounding_box(), chart.bounding_box()
    assert above is not None
    assert below is not None
    assert above["y"] + above["height"] < below["y"]
    live(page)


@pytest.mark.parametrize("width", [390, 320])
def test_every_page_of_a_long_list_can_be_reached_on_a_phone(open_screen: Any, width: int) -> None:
    page = open_screen(viewport={"width": width, "height": 800})
    await_rows(page, "/topics/?search=screens/")
    # What the template writes in the middle of a list of 1,150 rows, in the foot that stands there.
    links = "".join(f'<a href="?page={number}">{number}</a>' for number in (1, 9, 10, 11, 12, 13, 14, 23))
    page.evaluate(
        """links => { document.querySelector("main .foot").insertAdjacentHTML("beforeend",
        `<span class="r"><nav class="pages"><a>Previous</a>${links}<a>Next</a></nav></span>`) }""",
        links,
    )
    for link in page.locator(".pages a").all():
        box = link.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= width - 12
        assert box["height"] >= 24
    search = page.locator("#find").bounding_box()
    assert search is not None
    assert search["width"] >= 40


def test_a_long_topic_breaks_where_it_narrows_a_list_and_where_a_mapping_is_tried(
    open_screen: Any, console: Console
) -> None:
    topic = "screens/" + "a_long_name_without_blanks_" * 6
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="screens-test-long")
    client.connect("127.0.0.1", console.broker_port)
    client.loop_start()
    client.publish(topic, "{broken", qos=1).wait_for_publish(10)
    client.disconnect()
    client.loop_stop()
    phone, desk = open_screen(**PHONE), open_screen(**DESK)

    def is_there() -> bool:
        phone.goto(f"/undecoded/?topic={topic}")
        return phone.locator("#rows tr").count() == 1

    wait_for(is_there, what="the message")
    desk.goto(phone.locator("#rows tr a").first.get_attribute("href") or "")
    desk.get_by_role("link", name="Map by hand").click()
    expect(desk.get_by_role("heading", name="Becomes")).to_be_visible()
    for page in (phone, desk):
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_tablet_shows_every_button_of_a_row_without_scrolling_sideways(open_screen: Any) -> None:
    page = open_screen(viewport={"width": 820, "height": 1100})
    page.goto("/connections/")
    button = page.locator("#rows [data-action]").last
    assert button.evaluate("one => one.getBoundingClientRect().right <= innerWidth")
    assert page.locator("#rows").evaluate(
        "rows => rows.closest('.scroll').scrollWidth <= rows.closest('.scroll').clientWidth"
    )
    page.get_by_role("link", name="Menu").click()
    expect(page.get_by_role("link", name="Health")).to_be_visible()
