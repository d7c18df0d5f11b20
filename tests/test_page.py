"""The page in a real browser: one photo, a table, a phone's width, and no other host."""

import base64
import csv
import shutil
import zipfile
from io import BytesIO

import pytest
from PIL import Image
from served import served

from common.paths import ROOT

pytest.importorskip("gradio")
playwright = pytest.importorskip("playwright.sync_api")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SAMPLES = ROOT / "data/samples"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium here (apt-get install chromium)"),
]


@pytest.fixture(scope="module")
def address():
    """The page, served by its own command."""
    with served("app.py") as (address, *_):
        yield address


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        camera = [f"--use-fake-{part}-for-media-stream" for part in ("device", "ui")]
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *camera])
        yield browser
        browser.close()


@pytest.fixture(params=[1280, 375])
def page(request, browser, address):
    """The page at the width of a desk and of a phone; it must ask no other host."""
    context = browser.new_context(
        viewport={"width": request.param, "height": 900},
        permissions=["camera", "clipboard-read", "clipboard-write"],
    )
    page = context.new_page()
    page.set_default_timeout(60_000)
    asked = []
    page.on("request", lambda r: asked.append(r.url))
    page.goto(address)
    yield page
    context.close()
    foreign = [u for u in asked if not u.startswith((address, "data:", "blob:"))]
    assert len(asked) > 5 and not foreign


def test_one_photo(page):
    page.get_by_label("Text").wait_for()
    page.locator("input[type=file]").first.set_input_files(SAMPLES / "raccoon.jpg")
    page.get_by_label("Text").fill("There is a raccoon, but no cow.")
    page.get_by_role("button", name="Check", exact=True).click()
    answer = page.locator("#answer")
    answer.wait_for()
    assert answer.inner_text().startswith("True")
    said = page.get_by_text("said to be there").first
    assert said.is_visible() and page.get_by_text("said to be absent").first.is_visible()
    assert page.get_by_text("What I could not check").is_visible()
    assert page.get_by_text("raccoon").count() >= 2
    # Nothing is wider than the window, and the picture of the reasons is drawn.
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= page.viewport_size["width"]
    drawn = page.locator("img[src*='/file=']").last
    drawn.wait_for()
    assert drawn.evaluate("image => image.complete && image.naturalWidth") > 300


def drop(page):
    """Drop the raccoon, as a file dragged from a folder."""
    photo = base64.b64encode((SAMPLES / "raccoon.jpg").read_bytes()).decode()
    dragged = page.evaluate_handle(
        """async photo => {
            const blob = await (await fetch("data:image/jpeg;base64," + photo)).blob();
            const dragged = new DataTransfer();
            dragged.items.add(new File([blob], "raccoon.jpg", {type: "image/jpeg"}));
            return dragged;
        }""",
        photo,
    )
    page.locator("button", has_text="Drop Image Here").dispatch_event(
        "drop", {"dataTransfer": dragged}
    )


def paste(page):
    """Paste the raccoon with the button for it."""
    picture = base64.b64encode(png(SAMPLES / "raccoon.jpg")).decode()
    page.evaluate(
        """async picture => {
            const blob = await (await fetch("data:image/png;base64," + picture)).blob();
            await navigator.clipboard.write([new ClipboardItem({"image/png": blob})]);
        }""",
        picture,
    )
    page.get_by_label("Paste from clipboard").first.click()


def png(photo):
    """A photo as a clipboard holds it."""
    buffer = BytesIO()
    Image.open(photo).save(buffer, "PNG")
    return buffer.getvalue()


def photograph(page):
    """Take a picture with the browser's own test camera: a green disc, no animal."""
    page.get_by_label("Capture from camera").first.click()
    page.get_by_text("Click to Access Webcam").click()
    page.wait_for_function("document.querySelector('video')?.videoWidth > 0")
    page.get_by_role("button", name="capture photo").click()


@pytest.mark.parametrize(
    ("give", "text"),
    [(drop, "A raccoon."), (paste, "A raccoon."), (photograph, "There is no raccoon.")],
)
def test_ways_to_give_a_photo(page, give, text):
    page.get_by_label("Text").wait_for()
    give(page)
    page.get_by_label("Remove Image").wait_for()
    page.get_by_label("Text").fill(text)
    page.get_by_role("button", name="Check", exact=True).click()
    page.locator("#answer").wait_for()
    assert page.locator("#answer").inner_text().startswith("True")


def test_by_keyboard(page):
    page.get_by_label("Text").wait_for()
    page.locator("input[type=file]").first.set_input_files(SAMPLES / "cat.jpg")
    page.get_by_label("Text").focus()
    page.keyboard.type("No kitten anywhere.")
    page.keyboard.press("Enter")
    page.locator("#answer").wait_for()
    assert page.locator("#answer").inner_text().startswith("False")


def test_what_is_missing_is_said(page):
    page.get_by_label("Text").wait_for()
    page.get_by_role("button", name="Check", exact=True).click()
    page.get_by_text("There is no photo yet.").wait_for()


def test_many(page, tmp_path):
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as file:
        file.write(SAMPLES / "raccoon.jpg", "photos/one.jpg")
    rows = [("A raccoon.", "photos/one.jpg"), ("No raccoon.", "./photos/one.jpg")]
    rows += [("A cow.", "/etc/passwd"), ("A cat.", str(SAMPLES / "cat.jpg"))]
    with open(tmp_path / "pairs.csv", "w", newline="") as file:
        csv.writer(file).writerows([("text", "image"), *rows])
    page.get_by_role("tab", name="Many").click()
    button = page.get_by_role("button", name="Check all")
    button.wait_for()
    inputs = page.get_by_role("tabpanel").filter(has=button).locator("input[type=file]")
    playwright.expect(inputs).to_have_count(2, timeout=60_000)  # the tab is drawn piece by piece
    inputs.first.set_input_files(tmp_path / "pairs.csv")
    page.get_by_text("pairs.csv").wait_for()
    inputs.last.set_input_files(tmp_path / "photos.zip")
    page.get_by_text("photos.zip").wait_for()
    button.click()
    link = page.locator("a[download='answers.csv']")
    link.wait_for()
    with page.expect_download() as download:
        link.click()
    download.value.save_as(tmp_path / "answers.csv")
    with open(tmp_path / "answers.csv", newline="") as file:
        found = list(csv.DictReader(file))
    assert [row["answer"] for row in found] == ["True", "False", "", ""]
    assert [row["image"] for row in found] == [image for _, image in rows]
    assert found[2]["error"] == "/etc/passwd: no such file"
