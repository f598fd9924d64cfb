"""Makes the pictures of the dashboard that the documentation shows, in the folder that is named.

make screenshots
"""

import os
import pathlib
import sys
import tempfile
import time

from browser import Browser
from dashboard import Dashboard

# The name, the page, the size and the colours of each picture.
PICTURES = [
    ("overview", "", "desktop", "light"),
    ("job", "/jobs/charge_card", "desktop", "light"),
    ("runs", "/runs", "desktop", "dark"),
    ("run", "RUN", "desktop", "light"),
    ("phone", "", "phone", "dark"),
]
# The size up to which a picture is kept in the repository.
BYTES = 150_000


def main(folder):
    bin_dir = pathlib.Path(os.environ["CLOUD_JOBS_BIN_DIR"])
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.pop("CLOUD_JOBS_SCREENSHOTS", None)
    with tempfile.TemporaryDirectory() as data:
        shop = Dashboard(bin_dir, f"sqlite:{data}/jobs.db", seed=2_000)
        browser = Browser()
        try:
            payload = {"supplier": "Northwind", "articles": 60, "millisecondsPerArticle": 400}
            run = shop.enqueue("import_catalogue", payload)
            time.sleep(8)
            for name, path, size, scheme in PICTURES:
                with browser.page(size, scheme) as page:
                    page.open(shop.url + (f"/runs/{run}" if path == "RUN" else path))
                    page.wait_for_timeout(300)
                    picture = page.picture(name, folder, whole=False)
                    picture = picture.rename(folder / f"{name}.png")
                    size = picture.stat().st_size
                    print(f"{picture}: {size:,} bytes")
                    assert size <= BYTES, f"{picture} has more than {BYTES:,} bytes"
        finally:
            browser.close()
            shop.close()


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
