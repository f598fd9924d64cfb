"""Pages in Debian's Chromium, driven through Playwright: what they report, what axe finds, and pictures of them."""

import contextlib
import os
import pathlib
import shutil
import sysconfig

import pytest
from playwright.sync_api import sync_playwright

# The sizes at which pages are looked at.
SIZES = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}
SCHEMES = ("light", "dark")
# What axe calls these keeps somebody from using a page.
GRAVE = {"moderate", "serious", "critical"}


def find_browser():
    """Returns the path of Chromium; None if there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


# In continuous integration a test without its browser fails, so that no machine passes over it in silence.
needs_browser = pytest.mark.skipif(
    find_browser() is None and not os.environ.get("CI"),
    reason="no Chromium; infra/install-system-packages tests installs it",
)


class Browser:
    """A Chromium without a window; names under .example lead to this machine."""

    def __init__(self, *arguments):
        self.playwright = sync_playwright().start()
        self.chromium = self.playwright.chromium.launch(
            executable_path=find_browser(),
            chromium_sandbox=False,
            args=["--host-resolver-rules=MAP *.example 127.0.0.1", "--hide-scrollbars", *arguments],
        )

    def close(self):
        """Ends the browser."""
        self.chromium.close()
        self.playwright.stop()

    @contextlib.contextmanager
    def page(self, size="desktop", scheme="light", **options):
        """Opens a page in a profile of its own; other options, such as `java_script_enabled`, are Playwright's."""
        context = self.chromium.new_context(
            viewport=SIZES[size], color_scheme=scheme, device_scale_factor=1, reduced_motion="reduce", **options
        )
        context.set_default_timeout(15_000)
        try:
            yield Page(context.new_page(), size, scheme)
        finally:
            context.close()


class Page:
    """A page that records what went wrong; everything else is that of Playwright's page, `tab`."""

    def __init__(self, tab, size, scheme):
        self.tab, self.size, self.scheme = tab, size, scheme
        self.faults = []
        # Whether the page itself may be a refusal, which the browser reports as an error.
        self.may_be_refused = False
        tab.on("console", self._on_console)
        tab.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        tab.on("requestfailed", self._on_failure)
        tab.on("dialog", self._on_dialog)
        # A violation of the policy is in the console too, in the words of the browser.
        tab.add_init_script(
            "addEventListener('securitypolicyviolation', (e) =>"
            " console.error('policy: ' + e.violatedDirective + ' ' + e.blockedURI))"
        )

    def __getattr__(self, name):
        return getattr(self.tab, name)

    def _on_console(self, message):
        # A refused form has what was typed, which its fields may not take.
        refusals = ("the server responded with a status of 4", "does not conform to the required format")
        if self.may_be_refused and any(text in message.text for text in refusals):
            return
        if message.type in ("error", "warning"):
            self.faults.append(f"console {message.type}: {message.text} {message.location.get('url', '')}")

    def _on_failure(self, request):
        # Leaving a page ends its requests.
        if request.failure != "net::ERR_ABORTED":
            self.faults.append(f"request: {request.method} {request.url} {request.failure}")

    def _on_dialog(self, dialog):
        self.faults.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def open(self, url, status=200):
        """Opens an address, which must answer with a status."""
        self.may_be_refused = status >= 400
        response = self.tab.goto(url, wait_until="load")
        assert response.status == status, f"{url} answered {response.status}"
        return response

    def check_faults(self):
        """Checks that nothing went wrong since the page was opened, or since the last check."""
        faults, self.faults = self.faults, []
        assert not faults, f"{self.tab.url}: {faults}"

    def check_width(self):
        """Checks that the page is not wider than the window."""
        wide = self.tab.evaluate(
            "() => { const width = document.documentElement.clientWidth;"
            " if (document.documentElement.scrollWidth <= width) return [];"
            " return [document.documentElement.scrollWidth, ...[...document.querySelectorAll('body *')]"
            ".filter(e => e.getBoundingClientRect().right > width + 1 && !e.closest('.scroll, .code, .log, pre'))"
            ".slice(0, 5).map(e => e.outerHTML.slice(0, 120))]; }"
        )
        assert not wide, f"{self.tab.url} is wider than {self.size}: {wide}"

    def axe(self):
        """Returns the grave violations that axe finds, each with its elements."""
        # The policy of the pages forbids other scripts; the browser's own protocol may evaluate one.
        self.tab.evaluate(axe_source())
        result = self.tab.evaluate(
            "() => axe.run(document, {resultTypes: ['violations'],"
            " runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})"
        )
        return [
            f"{violation['id']} ({violation['impact']}): {violation['help']}: "
            + "; ".join(node["html"][:160] + " " + node["failureSummary"][:200] for node in violation["nodes"][:3])
            for violation in result["violations"]
            if violation["impact"] in GRAVE
        ]

    def check_access(self):
        """Checks that axe finds nothing that keeps somebody from using the page."""
        violations = self.axe()
        assert not violations, f"{self.tab.url}, {self.size}, {self.scheme}:\n" + "\n".join(violations)

    def picture(self, name, folder, whole=True, **options):
        """Writes a picture of the page to the folder in CLOUD_JOBS_SCREENSHOTS, or to another without it."""
        folder = pathlib.Path(os.environ.get("CLOUD_JOBS_SCREENSHOTS") or folder)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}-{self.size}-{self.scheme}.png"
        self.tab.screenshot(path=path, full_page=whole, **options)
        return path


def axe_source():
    """Returns the script of axe-core, from its package."""
    packages = pathlib.Path(sysconfig.get_path("purelib"))
    return (packages / "axe_playwright_python" / "axe.min.js").read_text()
