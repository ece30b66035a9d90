"""The chart on the pages of sensors, dataloggers and gateways, and the same as a table."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from mqtt.charts import contents, sparklines
from mqtt.charts.windows import last
from mqtt.fragments import render_part
from mqtt.models import SensorDevice
from mqtt.pages.base import REGISTRY
from mqtt.services.jobs import rollups
from tests import factories
from tests.services.test_rollups import NOW, store
from tests.views.conftest import body

pytestmark = [pytest.mark.django_db, pytest.mark.database, pytest.mark.usefixtures("valkey")]

START = datetime(2026, 9, 20, tzinfo=UTC)
DAY = "from=2026-09-20T00:00:00Z&to=2026-09-21T00:00:00Z"


@pytest.fixture
def web(client: Client, viewer: User) -> Client:
    client.force_login(viewer)
    return client


def pages_of(sensor: SensorDevice) -> list[str]:
    logger = sensor.datalogger
    return [f"/sensors/{sensor.pk}/", f"/dataloggers/{logger.pk}/", f"/gateways/{logger.gateway_id}/"]


def test_a_window_is_an_address_on_each_page_and_a_wrong_one_says_what_is_wrong(web: Client) -> None:
    sensor = factories.make_sensor(factories.make_datalogger(gateway=factories.make_gateway()))
    SensorDevice.objects.update(created_at=timezone.now() - timedelta(days=2))
    for url in pages_of(sensor):
        page = body(web, url)
        assert f'data-sensors="{sensor.pk}"' in page
        assert 'data-last="24h"' in page
        page = body(web, f"{url}?{DAY}")
        assert 'data-from="2026-09-20T00:00:00.000Z" data-to="2026-09-21T00:00:00.000Z"' in page
        assert "from=2026-09-19T12%3A00%3A00.000Z" in page, "the link to an earlier time works without JavaScript"
        page = body(web, f"{url}?from=2026-09-21&to=2026-09-20", 400)
        assert "The end does not lie behind the start. The last 24 hours are shown instead." in page
        assert "Write a span like 30m" in body(web, f"{url}?last=%00", 400)
        assert "At most 12 sensors" in body(web, f"{url}?sensors={','.join(map(str, range(13)))}", 400)
        for edge in ("from=0001-01-02T00:00:00Z&to=0001-02-01T00:00:00Z", "from=9999-12-30&to=9999-12-31"):
            page = body(web, f"{url}?{edge}&table=1")
            for step in re.findall(r'href="(\?[^"#]+)#chart" data-step', page):
                body(web, url + step.replace("&amp;", "&"))
        for beyond in ("from=0001-01-01&to=0001-02-01", "from=9999-12-30&to=9999-12-31T23:59:59Z"):
            assert "Write a time like" in body(web, f"{url}?{beyond}", 400), "it has no date in every zone"


def test_what_is_new_is_shown_since_it_is_known(web: Client) -> None:
    sensor = factories.make_sensor()
    for minutes, expected in ((2, "1h"), (70, "6h"), (400, "24h")):
        SensorDevice.objects.update(created_at=timezone.now() - timedelta(minutes=minutes))
        assert f'data-last="{expected}"' in body(web, f"/sensors/{sensor.pk}/")
        assert 'data-last="7d"' in body(web, f"/sensors/{sensor.pk}/?last=7d")
    SensorDevice.objects.update(created_at=timezone.now())
    now = int(timezone.now().timestamp())
    store(sensor, [(now - at, 20.0) for at in (100, 50, 1)])
    line = contents.lines([sensor], last("24h", timezone.now()), 800, as_rate=False)[0]
    assert line.series.values, "nothing has to be rolled up for it"
    assert len(contents.lines([sensor], last("1h", timezone.now()), 800, as_rate=False)[0].series.values) >= 3
    store(sensor, [(now - 7200, 20.0)])
    assert 'data-last="24h"' in body(web, f"/sensors/{sensor.pk}/"), "an import brought what is older"


def test_sensors_are_chosen_among_those_with_numbers_and_strangers_are_left_out(web: Client) -> None:
    logger = factories.make_datalogger(gateway=factories.make_gateway())
    battery = factories.make_sensor(logger, name="a_battery", kind="battery", unit="V")
    ones = [factories.make_sensor(logger) for _ in range(5)]
    word, other = factories.make_sensor(logger, text="open"), factories.make_sensor()
    page = body(web, f"/dataloggers/{logger.pk}/")
    usual = ",".join(str(one.pk) for one in sorted(ones, key=lambda one: one.name)[:4])
    assert f'data-sensors="{usual}"' in page
    assert f'value="{battery.pk}"' in page
    assert f'type="checkbox" name="sensors" value="{word.pk}"' not in page
    page = body(web, f"/dataloggers/{logger.pk}/?sensors={battery.pk}&sensors={ones[0].pk},{other.pk}&last=7d")
    assert f'data-sensors="{battery.pk},{ones[0].pk}"' in page
    assert 'data-last="7d"' in page
    assert 'id="chart"' not in body(web, f"/sensors/{word.pk}/"), "words are not drawn"


def test_the_table_shows_what_the_chart_shows_and_what_happened(web: Client) -> None:
    logger = factories.make_datalogger(gateway=factories.make_gateway())
    one, two = factories.make_sensor(logger, decimals=1), factories.make_sensor(logger, kind="energy", unit="kWh")
    begin = int(START.timestamp())
    for sensor in (one, two):
        store(sensor, [(begin + at * 60, at) for at in range(24 * 60) if not 120 <= at < 240])
    rollups.roll_up(NOW)
    factories.make_correction(one, valid_from=START - timedelta(days=1), offset=1000.0)
    factories.make_status_change(
        one.connection, "offline", kind="gateway", object_id=logger.gateway_id, label="mast", at=START
    )
    factories.make_note(one, at=START + timedelta(hours=5), text="New <b>cable</b>")
    page = body(web, f"/dataloggers/{logger.pk}/?{DAY}&table=1&rate=1&sensors={one.pk},{two.pk}")
    table = page.split('class="history"')[1].split("</table>")[0]
    assert "Means of 10 min" in table
    assert table.count('<th scope="row"') == 132, "two hours are a gap"
    first = re.sub(r"<[^>]+>", " ", table.split('<th scope="row"')[-1])
    assert "1,004.5" in first
    assert "1,000.0 … 1,009.0" in first
    rate = table.split('<th scope="row"')[1].split("<td")[2]
    assert 'data-value="60"' in rate, "one a minute"
    happened = page.split('class="marks"')[1].split("</ul>")[0]
    assert "mast: offline" in happened
    assert "New &lt;b&gt;cable&lt;/b&gt;" in happened
    empty = body(web, f"/sensors/{one.pk}/?from=2020-01-01&to=2020-01-02&table=1")
    assert "Nothing was measured in this time." in empty.split('class="history"')[1]


def test_the_newest_values_are_pushed_as_they_stand_on_the_page(web: Client, viewer: User) -> None:
    sensor = factories.make_sensor(factories.make_datalogger(gateway=factories.make_gateway()), value=20.0)
    factories.make_correction(sensor, offset=1.5)
    for url in pages_of(sensor):
        name, pk = url.strip("/").split("/")
        shown = REGISTRY[name, True].show(viewer, QueryDict(f"sensors={sensor.pk}"), int(pk))
        assert shown is not None
        part = shown.part("chart-points")
        pushed = render_part(part.template, shown.part_context(part), "en")
        assert 'data-value="21.5"' in pushed
        assert pushed.strip() in body(web, url)


def test_more_sensors_cost_a_page_no_more_queries(web: Client, django_assert_max_num_queries: Any) -> None:
    logger = factories.make_datalogger(gateway=factories.make_gateway())
    sensor, _ = factories.make_sensor(logger), factories.make_sensor(logger)  # its page shows its neighbours
    counts: dict[str, list[int]] = {}
    for _ in range(2):
        now = timezone.now()
        for place, one in enumerate(SensorDevice.objects.order_by("pk")):  # all of them known for less than an hour
            factories.make_reading(one, 1.0, now - timedelta(minutes=5 + place))
        for url in pages_of(sensor):
            for query in ("", "?table=1"):
                web.get(url)  # what is read once a process
                sparklines.forget_everything()  # kept for some seconds, which may end between any two
                with django_assert_max_num_queries(45) as asked:
                    web.get(url + query)
                counts.setdefault(url.split("/")[1] + query, []).append(len(asked))
        factories.make_sensor(logger)
        factories.make_sensor(logger)
    assert all(before >= after - 1 for before, after in counts.values()), counts


def test_a_stranger_sees_no_chart(client: Client, stranger: User) -> None:
    sensor = factories.make_sensor()
    assert client.get(f"/api/v1/mqtt/charts/?sensors={sensor.pk}").status_code in {401, 403}
    client.force_login(stranger)
    assert client.get(f"/sensors/{sensor.pk}/?last=1h").status_code == 403
    assert client.get(f"/api/v1/mqtt/charts/?sensors={sensor.pk}").status_code == 403
