"""A chart in a real browser: it zooms by asking for finer data, is an address, and grows while one looks at it."""

import re
from urllib.parse import parse_qs, urlparse

import paho.mqtt.client as mqtt
import pytest
from playwright.sync_api import Page, Request, expect

from tests.browser import live, publish
from tests.servers import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.system]

TOPIC = "charted/box-7"


def publish_value(device: mqtt.Client, value: float) -> None:
    publish(device, TOPIC, {"temperature": value, "humidity": value * 2})


def query(request: Request) -> dict[str, list[str]]:
    return parse_qs(urlparse(request.url).query)


def is_chart(request: Request) -> bool:
    return "/mqtt/charts/" in request.url


def test_a_chart_zooms_moves_and_grows(page: Page, device: mqtt.Client) -> None:
    for value in (20.0, 21.0, 22.0):
        publish_value(device, value)

    def is_there() -> bool:
        page.goto("/dataloggers/?search=box-7")
        return page.locator("#rows tr").count() == 1

    wait_for(is_there, what="the datalogger's row")
    page.click("#rows tr a.k")
    live(page)
    chart = page.locator("#chart")
    over = chart.locator(".u-over")
    expect(over).to_be_visible()
    reading = chart.locator(".line", has_text="temperature").locator("[data-reading]")
    expect(reading).to_contain_text("22")

    # New values come over the page's socket: nothing is asked for.
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request) if is_chart(request) else None)
    publish_value(device, 23.5)
    expect(reading).to_contain_text("23.5")
    assert int(chart.get_attribute("data-appended") or 0) >= 1
    assert not asked

    # A stretch that is drawn with the mouse becomes the window, at its own resolution, and an address.
    place = over.bounding_box()
    assert place is not None
    with page.expect_request(is_chart) as zoomed:
        page.mouse.move(place["x"] + place["width"] * 0.25, place["y"] + 40)
        page.mouse.down()
        page.mouse.move(place["x"] + place["width"] * 0.5, place["y"] + 60, steps=5)
        page.mouse.up()
    assert {"from", "to", "points", "sensors"} <= query(zoomed.value).keys()
    assert re.search(r"\?from=.*&to=", page.url)
    expect(chart.locator("[data-span][aria-current]")).to_have_count(0)
    near = page.url
    with page.expect_request(is_chart):
        chart.locator(".plot").press("ArrowLeft")
    assert page.url != near
    with page.expect_request(is_chart) as newest:
        chart.locator(".plot").press("Home")
    assert query(newest.value)["last"] == ["1h"], "of a sensor that is new"
    with page.expect_request(is_chart) as week:
        chart.get_by_label("7 days").click()
    assert query(week.value)["last"] == ["7d"]
    page.reload()
    expect(chart.get_by_label("7 days")).to_have_attribute("aria-current", "true")

    # The same data as a table keeps the window.
    page.click("text=As a table")
    assert "last=7d" in page.url
    expect(page.locator("table.history td [data-value]").first).to_be_visible()
    hidden = chart.locator(".line", has_text="humidity")
    hidden.click()
    expect(hidden).to_have_attribute("aria-pressed", "false")


def test_a_legend_shows_a_long_name_and_its_value_on_a_phone(page: Page, device: mqtt.Client) -> None:
    publish(device, "charted/frost-box", {"temperature_below_the_roof_" * 6: -3.5})

    def is_there() -> bool:
        page.goto("/dataloggers/?search=frost-box")
        return page.locator("#rows tr").count() == 1

    wait_for(is_there, what="the datalogger's row")
    page.set_viewport_size({"width": 390, "height": 800})
    page.click("#rows tr a.k")
    reading = page.locator("#chart [data-reading]")
    expect(reading).to_have_text("−3.5")  # as the tables write it, with a true minus
    assert reading.evaluate("one => one.getBoundingClientRect().right <= innerWidth")


def test_a_chart_says_that_a_sensor_it_draws_was_deleted_meanwhile(page: Page, device: mqtt.Client) -> None:
    publish(device, "charted/leaving-box", {"temperature": 20.5, "humidity": 41.0})

    def is_there() -> bool:
        page.goto("/dataloggers/?search=leaving-box")
        return page.locator("#rows tr").count() == 1

    wait_for(is_there, what="the datalogger's row")
    page.click("#rows tr a.k")
    chart = page.locator("#chart")
    expect(chart.locator("[data-reading]").first).not_to_be_empty()
    other = page.context.new_page()
    other.goto(f"/sensors/{chart.locator('.line').first.get_attribute('data-sensor')}/delete/")
    other.get_by_role("button", name="Delete for good").click()
    chart.get_by_label("7 days").click()
    expect(chart.locator("[data-what]")).to_contain_text("was deleted meanwhile. Load the page again")
    page.reload()
    expect(chart.locator(".line")).to_have_count(1)
    expect(chart.locator("[data-what]")).to_be_empty()
