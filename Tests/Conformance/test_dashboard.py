"""The service's dashboard in a real browser: every page and flow, on the data of a shop."""

import re
import time
import urllib.parse

import pytest

from browser import SCHEMES, SIZES, needs_browser
from dashboard import Dashboard, kind_of, pages_of

pytestmark = needs_browser

# The window and the colours in which each page is looked at, and whether axe looks too.
LOOKS = [(size, scheme) for size in SIZES for scheme in SCHEMES]


@pytest.fixture(scope="module")
def shop(bin_dir, tmp_path_factory):
    """The shop with a day's history, which tests only look at and add to."""
    store = tmp_path_factory.mktemp("shop") / "jobs.db"
    dashboard = Dashboard(bin_dir, f"sqlite:{store}", "--refresh", "1", seed=400)
    time.sleep(1)
    yield dashboard
    assert dashboard.close() == 0


@pytest.fixture(scope="module")
def pages(shop):
    """The paths of all pages, one of each kind."""
    found = pages_of(shop)
    assert len(found) > 5, found
    return found


def name_of(path):
    """Returns the name of a page's picture."""
    place, parameters = kind_of(path)
    return re.sub(r"[^a-zA-Z0-9]+", "-", place.strip("/") + "".join(f"-{name}" for name in parameters))[:80]


@pytest.mark.parametrize(("size", "scheme"), LOOKS)
def test_every_page_fits_and_can_be_used_by_everyone(browser, shop, pages, tmp_path, size, scheme):
    found = []
    with browser.page(size, scheme) as page:
        for path in pages:
            page.open(shop.origin + path)
            page.picture(name_of(path), tmp_path)
            for check in (page.check_faults, page.check_width, page.check_access):
                try:
                    check()
                except AssertionError as fault:
                    found.append(str(fault))
    assert not found, "\n".join(found)


def test_a_page_that_is_not_there_fits_too(browser, shop, tmp_path):
    with browser.page("phone", "dark") as page:
        for path, status in (("/nothing", 404), ("/runs/" + "0" * 64, 404), ("/runs?cursor=%22", 400)):
            page.open(shop.url + path, status)
            page.check_faults()
            page.check_width()
            page.check_access()
        page.picture("error", tmp_path)


# MARK: The keyboard

# Returns what has the focus, and whether it shows.
FOCUS = """() => {
  const element = document.activeElement;
  if (!element || element === document.body) return null;
  const box = element.getBoundingClientRect();
  const style = getComputedStyle(element);
  // The middle of what the window shows of it.
  const between = (low, high, limit) => (Math.max(0, low) + Math.min(limit, high)) / 2;
  const x = between(box.left, box.right, innerWidth), y = between(box.top, box.bottom, innerHeight);
  const middle = document.elementFromPoint(x, y);
  return {
    text: (element.innerText || element.getAttribute('aria-label') || element.name || element.id || '').trim(),
    tag: element.tagName, id: element.id,
    isOutlined: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
    isInside: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
    isCovered: !middle || !(element.contains(middle) || middle.contains(element)),
  };
}"""
# Numbers the elements that take the focus, in the order of the document.
ORDER = "() => [...document.querySelectorAll('*')].indexOf(document.activeElement)"


def press_until(page, text, limit=80):
    """Presses Tab until the element with a text has the focus; each stop on the way must show."""
    for _ in range(limit):
        page.keyboard.press("Tab")
        focus = page.evaluate(FOCUS)
        if focus is None:
            continue
        assert focus["isOutlined"] and focus["isInside"] and not focus["isCovered"], focus
        if focus["text"].startswith(text):
            return
    raise AssertionError(f"Tab does not lead to {text} on {page.url}")


def test_the_keyboard_alone_leads_through_a_whole_change(browser, shop):
    run = shop.enqueue("send_welcome_email", {"customer": "keyboard"}, key="keyboard", delay="3600s")
    with browser.page() as page:
        page.open(shop.url)
        # The first stop leads past the navigation.
        page.keyboard.press("Tab")
        first = page.evaluate(FOCUS)
        assert first["text"] == "Skip to the content" and first["isInside"] and first["isOutlined"]
        page.keyboard.press("Enter")
        assert page.evaluate("() => document.activeElement.id") == "main"
        # The stops are in the order of the document.
        page.open(f"{shop.url}/runs?status=scheduled&q=keyboard")
        places = []
        for _ in range(30):
            page.keyboard.press("Tab")
            if page.evaluate(FOCUS) is None:
                break
            places.append(page.evaluate(ORDER))
        assert places == sorted(places) and len(places) > 15
        page.open(f"{shop.url}/runs?status=scheduled&q=keyboard")
        press_until(page, run[:8])
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/runs/{run}")
        press_until(page, "Cancel")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/runs/{run}/cancel")
        press_until(page, "because")
        page.keyboard.press("Control+a")
        page.keyboard.type("By the keyboard.")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/runs/{run}?done=cancelled")
        assert page.locator("#message[role=status]").inner_text() == "The run was cancelled."
        page.check_faults()
    found = shop.call("GET", f"runs/{run}")
    assert found["status"] == "cancelled" and "By the keyboard." in found["reason"]


def test_keys_lead_to_pages_and_a_dialog_tells_them(browser, shop):
    with browser.page() as page:
        page.open(shop.url)
        page.keyboard.press("?")
        dialog = page.locator("dialog#keys")
        assert dialog.is_visible() and page.evaluate("() => document.activeElement.closest('dialog') !== null")
        page.check_access()
        keys = dict(zip(dialog.locator("dt").all_inner_texts(), dialog.locator("dd").all_inner_texts(), strict=True))
        page.keyboard.press("Escape")
        assert not dialog.is_visible()
        links = page.locator("header nav a")
        for number in range(links.count()):
            label, key, address = (
                links.nth(number).inner_text(),
                links.nth(number).get_attribute("data-key"),
                links.nth(number).get_attribute("href"),
            )
            assert any(text.startswith(label.split(" ")[0]) for text in keys.values()), (label, keys)
            page.keyboard.press("g")
            with page.expect_navigation():
                page.keyboard.press(key)
            assert urllib.parse.urlsplit(page.url).path == address
        page.open(f"{shop.url}/runs")
        page.keyboard.press("/")
        assert page.evaluate("() => document.activeElement.type") == "search"
        # In a field, keys are text.
        page.keyboard.type("grp?t")
        assert page.locator("#q").input_value() == "grp?t" and page.url.endswith("/runs")
        page.locator("#q").blur()
        before = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
        page.keyboard.press("t")
        assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") != before
        page.reload()
        assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") != before
        page.check_faults()


# MARK: Without a script


def test_many_runs_are_changed_without_a_script(browser, shop):
    runs = [
        shop.enqueue("send_welcome_email", {"customer": f"plain-{number}"}, key=f"plain-{number}", delay="3600s")
        for number in range(4)
    ]
    with browser.page("phone", java_script_enabled=False) as page:
        page.open(f"{shop.url}/runs?status=scheduled&q=plain-")
        assert page.locator(".scripted:visible").count() == 0
        for run in runs[:3]:
            page.locator(f"input[name=run][value='{run}']").check()
        page.locator("button[name=action][value=cancel]").click()
        page.wait_for_url("**/bulk?**")
        assert "3" in page.locator("main h2").first.inner_text()
        page.locator("#because").fill("Without a script.")
        page.locator("main form button.danger, main form button.primary").first.click()
        for _ in range(20):
            more = page.locator("main form button", has_text="Continue")
            if more.count() == 0:
                break
            more.first.click()
        assert page.locator("main a.button", has_text="To the runs").is_visible()
        page.check_width()
        page.check_faults()
    found = [shop.call("GET", f"runs/{run}") for run in runs]
    assert [run["status"] for run in found] == ["cancelled"] * 3 + ["scheduled"]
    assert "Without a script." in found[0]["reason"]


def test_every_page_says_the_same_without_a_script(browser, shop, pages):
    with browser.page(java_script_enabled=False) as page:
        for path in pages:
            page.open(shop.origin + path)
            assert page.locator("h1").inner_text() and page.locator("main").inner_text().strip()
            page.check_faults()


# MARK: Words, forms and dead letters


def test_a_word_leads_to_its_explanation_by_the_keyboard_too(browser, shop):
    with browser.page() as page:
        page.open(f"{shop.url}/dead-letters")
        press_until(page, "redrive")
        word = page.locator(":focus")
        text = word.get_attribute("title")
        assert text and word.get_attribute("href").endswith("/words#redrive")
        page.keyboard.press("Enter")
        page.wait_for_url("**/words#redrive")
        term = page.locator("dt#redrive")
        assert page.locator("dt#redrive + dd").inner_text() == text
        box = term.bounding_box()
        assert 0 <= box["y"] < page.viewport_size["height"]
        page.check_faults()
        page.check_access()


def test_the_form_of_a_job_folds_what_is_rarely_changed(browser, shop):
    with browser.page("phone", java_script_enabled=False) as page:
        page.open(f"{shop.url}/jobs/check_stock/edit")
        assert page.locator("[name]:visible").filter(has_not=page.locator("input[type=hidden]")).count() <= 12
        limits = page.locator("details", has_text="Limits")
        assert limits.get_attribute("open") is None
        limits.locator("summary").click()
        page.locator("#field-maxConcurrent").fill("lots")
        page.locator("button", has_text="Save").click()
        # The refused field is seen.
        assert page.locator("#field-maxConcurrent").is_visible()
        assert page.locator("#field-maxConcurrent").get_attribute("aria-invalid") == "true"
        page.check_width()


def test_run_now_asks_for_the_input_that_a_job_needs(browser, shop):
    with browser.page() as page:
        page.open(f"{shop.url}/jobs/import_catalogue")
        page.locator("button", has_text="Run now").click()
        page.wait_for_url("**/jobs/import_catalogue/enqueue?mode=now")
        assert "supplier" in page.locator("#payload").input_value()
        page.check_access()
        page.locator("button", has_text="Run now").click()
        page.wait_for_url("**/jobs/import_catalogue?done=triggered")
        page.check_faults()


def test_a_dead_letter_leaves_the_list_when_its_repeat_succeeds(browser, shop):
    failed = shop.call("GET", "runs?status=failed&job=send_welcome_email&limit=50")["runs"]
    with browser.page() as page:
        # The latest ones were redriven before.
        run = failed[-1]["id"]
        page.open(f"{shop.url}/runs/{run}")
        page.locator("button", has_text="Redrive").click()
        page.wait_for_url("**?done=redriven")
        again = urllib.parse.urlsplit(page.url).path.rpartition("/")[2]
        shop.wait_for(again, ("succeeded",))
        row = page.locator("tr", has=page.locator(f"a[title='{run}']"))
        page.open(f"{shop.url}/runs?job=send_welcome_email&status=failed")
        assert row.locator("a", has_text="repeat succeeded").get_attribute("href").endswith(f"/runs/{again}")
        page.open(f"{shop.url}/runs?job=send_welcome_email&repeat=open")
        assert page.locator("tbody tr").count() > 0 and row.count() == 0
        page.open(f"{shop.url}/dead-letters?job=send_welcome_email")
        open_text = page.locator("main").inner_text()
        page.locator(".tabs a", has_text="All").click()
        all_text = page.locator("main").inner_text()
        assert "succeeded" not in open_text and "repeats succeeded" in all_text
        page.check_faults()
        page.check_access()


# MARK: Schedules


@pytest.mark.parametrize("size", SIZES)
def test_the_calendar_shows_jobs_that_are_due_all_day(browser, shop, size):
    with browser.page(size) as page:
        page.open(f"{shop.url}/calendar?span=week&from=2026-11-30")
        bands = page.locator(".bands")
        assert bands.locator("h3").all_inner_texts() == [
            "check_stock every minute",
            "clean_carts every 20 seconds",
        ]
        days = [" ".join(text.split()) for text in bands.locator("ul").nth(1).locator("li").all_inner_texts()]
        times = "4,320 times first 00:00, last 23:59:40"
        assert days == [
            f"{name} {date} {times}"
            for name, date in zip(
                ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"),
                ("2026-11-30", *(f"2026-12-0{number}" for number in range(1, 7))),
                strict=True,
            )
        ]
        # Nothing is missing in the sums: 60 + 180 an hour, and a job that is due once a day; a paused one is not there.
        hours = page.locator(".heat tbody tr").first.locator("td").all_inner_texts()
        assert page.locator(".heat tbody tr").count() == 7 and hours[1:3] == ["241", "240"], hours
        totals = page.locator("table.rows tbody tr").all_inner_texts()
        assert any("clean_carts" in text and "30,240" in text for text in totals), totals
        page.check_faults()
        page.check_width()
        page.check_access()
        # The day has the times of each hour.
        bands.locator("ul").nth(1).locator("a").first.click()
        page.wait_for_url("**/calendar?span=day&from=2026-11-30&job=clean_carts")
        hours = page.locator(".hour-card")
        assert hours.count() == 24
        assert "180 times, every 20 seconds, first 05:00, last 05:59:40" in hours.nth(5).inner_text()
        page.check_faults()
        page.check_width()
        page.check_access()


def test_a_forecast_says_when_runs_were_measured_and_only_passes_have_their_note(browser, shop):
    with browser.page() as page:
        page.open(f"{shop.url}/forecast")
        # Workers execute the shop's jobs.
        assert page.locator("#deployment").input_value() == "worker"
        assert "master pass" not in page.locator("main").inner_text().replace("with a master pass", "")
        time.sleep(1.5)
        page.open(f"{shop.url}/forecast?deployment=masterPass")
        assert "the master pass comes once a minute" in page.locator("main").inner_text()
        assert "Recent runs were measured" in page.locator("main > p.muted").first.inner_text()
        page.check_faults()


# MARK: What changes by itself


def test_a_list_shows_what_others_enqueue_unless_it_is_paused(browser, shop):
    with browser.page() as page:
        page.open(f"{shop.url}/runs")
        page.evaluate("() => { window.isSame = true; }")

        def is_shown(key, seconds=6):
            run = shop.enqueue("send_welcome_email", {"customer": key}, key=key, delay="3600s")
            deadline = time.time() + seconds
            while time.time() < deadline:
                if page.locator(f"a[href$='/runs/{run}']").count():
                    return True
                page.wait_for_timeout(100)
            return False

        assert is_shown("live-1")
        # What somebody has chosen stays chosen.
        box = page.locator("input[name=run]").first
        box.check()
        chosen = box.get_attribute("value")
        assert is_shown("live-2")
        assert page.locator(f"input[name=run][value='{chosen}']").is_checked()
        page.keyboard.press("p")
        assert page.locator("#live").get_attribute("aria-pressed") == "false"
        assert page.locator("#live").inner_text() == "Paused"
        assert not is_shown("live-3", 2.5)
        page.keyboard.press("r")
        page.wait_for_timeout(500)
        assert page.evaluate("() => window.isSame") is True
        page.keyboard.press("p")
        assert is_shown("live-4")
        # A page that nobody sees asks for nothing.
        requests = []
        page.on("request", lambda request: requests.append(request.url))
        page.evaluate(
            "() => { Object.defineProperty(document, 'hidden', {get: () => true, configurable: true});"
            " document.dispatchEvent(new Event('visibilitychange')); }"
        )
        page.wait_for_timeout(300)
        requests.clear()
        page.wait_for_timeout(2_500)
        assert requests == []
        page.evaluate("() => { delete document.hidden; document.dispatchEvent(new Event('visibilitychange')); }")
        page.wait_for_timeout(500)
        assert requests
        page.check_faults()


def test_the_log_and_the_progress_of_a_run_grow_while_it_goes_on(browser, shop):
    payload = {"supplier": "Live & Söhne", "articles": 40, "millisecondsPerArticle": 100}
    run = shop.enqueue("import_catalogue", payload)
    shop.wait_for(run, ("running",))
    with browser.page() as page:
        page.open(f"{shop.url}/runs/{run}")
        lines = page.locator("#log li")
        page.wait_for_function("() => document.querySelectorAll('#log li').length >= 5")
        before = lines.count()
        page.wait_for_function(f"() => document.querySelectorAll('#log li').length >= {before + 5}")
        page.wait_for_function("() => document.querySelector('#state .state').innerText.trim() === 'succeeded'")
        page.wait_for_function("() => document.querySelectorAll('#log li').length >= 41")
        texts = page.locator("#log .text").all_inner_texts()
        numbers = [int(found.group(1)) for text in texts if (found := re.match(r"Article (\d+) ", text))]
        # Each line once, in their order.
        assert numbers == list(range(1, 41)), numbers
        assert page.locator("#log li.warning").count() == 4
        page.check_faults()
        page.check_access()
