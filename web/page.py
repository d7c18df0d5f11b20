"""The page: a photo and a sentence in, the answer and its reasons out.

Everything runs on this machine. Gradio's page asks other hosts for a script and for fonts;
`Offline` takes these out, and forbids the browser to ask for anything else.
"""

import html
import re
import shutil
import tempfile
import zipfile
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from common.errors import InputError
from common.pairs.table import answer_table
from common.paths import ROOT
from common.tables import FORMATS
from engine.answer import Answer
from engine.verifier import Verifier

SAMPLES = ROOT / "data/samples"
EXAMPLES = [
    ["There is a raccoon, but no cow.", str(SAMPLES / "raccoon.jpg")],
    ["A kitten looks at the camera.", str(SAMPLES / "cat.jpg")],
    ["There is no zebra in this picture.", str(SAMPLES / "coffee.jpg")],
]
MAX_UNPACKED = 2**30  # bytes of a zip's photos
AFFIRMED, DENIED = "said to be there", "said to be absent"
COLOURS = {AFFIRMED: "#2e7d32", DENIED: "#b3261e"}
WORDS = {True: "True", False: "False", None: "Cannot tell"}
CSS = """
#answer {font-size: 2.4rem; font-weight: 700; text-align: center; padding: .4rem}
#answer small {display: block; font-size: 1rem; font-weight: 400}
footer {display: none !important}
"""
THEME = gr.themes.Default(  # with fonts of the visitor's machine
    font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]
)
POLICY = (
    "default-src 'self' data: blob:; style-src 'self' 'unsafe-inline';"
    " script-src 'self' 'unsafe-inline' 'unsafe-eval'"
)
_FOREIGN = re.compile(
    rb"<script[^>]*src=\"https?://[^>]*>\s*</script>|<link[^>]*href=\"https?://[^>]*>"
)


def highlighted(answer: Answer) -> list[tuple[str, str | None]]:
    """A text cut at its animals, each with what is said of it."""
    parts: list[tuple[str, str | None]] = []
    position = 0
    for judged in answer.verdict.claims if answer.verdict else ():
        claim = judged.claim
        parts.append((answer.text[position : claim.start], None))
        parts.append((claim.mention, DENIED if claim.negated else AFFIRMED))
        position = claim.end
    return [*parts, (answer.text[position:], None)]


def unchecked(answer: Answer) -> str:
    """What the answer leaves open, as Markdown."""
    lines = []
    for judged in answer.verdict.claims:
        roughly = not judged.exact and judged.holds != judged.claim.negated  # there, as its kind
        if judged.holds is None or roughly:
            lines.append(f"- **{judged.claim.mention}**: {judged.explanation}")
    if not answer.verdict.claims:
        lines.append(f"- {answer.verdict.explanation}")
    if not answer.prediction.known:
        lines.append("- The photo shows none of the animals that the classifier knows.")
    lines.append("- How many there are, what they do, and anything in the text but animals.")
    return "### What I could not check\n" + "\n".join(lines)


def make_page(verifier: Verifier) -> gr.Blocks:
    """The page.

    Args:
        verifier: Answers.
    """

    def check(text: str, photo: Image.Image | None) -> tuple[Any, ...]:
        if photo is None:
            raise gr.Error("There is no photo yet.", print_exception=False)
        try:
            answer = verifier.verify(text or "", photo)
        except InputError as error:
            raise gr.Error(str(error), print_exception=False) from error
        word = WORDS[answer.verdict.value]
        why = html.escape(answer.verdict.explanation)
        return (
            f"<div id='answer' role='status' aria-live='polite'>{word}<small>{why}</small></div>",
            highlighted(answer),
            dict(answer.prediction.top(5)),
            verifier.explain(answer, photo),
            unchecked(answer),
        )

    def check_many(table: str | None, photos: str | None) -> tuple[str, str]:
        if table is None:
            raise gr.Error("There is no table yet.", print_exception=False)
        try:
            return answer_uploads(verifier, Path(table), Path(photos) if photos else None)
        except InputError as error:
            raise gr.Error(str(error), print_exception=False) from error

    with gr.Blocks(title="Faunacheck", analytics_enabled=False) as page:
        gr.Markdown("# Faunacheck\nDoes the picture show the animal that the text names?")
        with gr.Tab("One photo") as tab, gr.Row():
            with gr.Column(min_width=300):
                photo = gr.Image(
                    label="Photo", type="pil", sources=["upload", "clipboard", "webcam"], height=320
                )
                text = gr.Textbox(label="Text", placeholder="There is a cow in the picture.")
                button = gr.Button("Check", variant="primary")
            with gr.Column(min_width=300):
                answer = gr.HTML()
                said = gr.HighlightedText(
                    label="What the text says", color_map=COLOURS, show_legend=True
                )
                classes = gr.Label(label="What the photo shows", num_top_classes=5)
                why = gr.Image(label="Why", interactive=False, buttons=["download", "fullscreen"])
                left = gr.Markdown()
        with tab:
            gr.Examples(EXAMPLES, [text, photo], label="Samples")
        results = [answer, said, classes, why, left]
        gr.on([button.click, text.submit], check, [text, photo], results, api_name="check")
        with gr.Tab("Many"):
            gr.Markdown(
                "A table (csv, tsv, jsonl or parquet) with columns `text,image`, and a zip with the"
                " photos that the column `image` names."
            )
            with gr.Row():
                table = gr.File(label="Table", file_types=list(FORMATS), type="filepath")
                photos = gr.File(label="Photos", file_types=[".zip"], type="filepath")
            start = gr.Button("Check all", variant="primary")
            summary = gr.Textbox(label="Summary", interactive=False)
            output = gr.File(label="Answers", interactive=False)
        start.click(check_many, [table, photos], [summary, output], api_name="check_many")
    return page


def answer_uploads(verifier: Verifier, table: Path, photos: Path | None) -> tuple[str, str]:
    """Answer an uploaded table.

    Args:
        verifier: Answers.
        table: Pairs; images are names of files in the zip.
        photos: A zip.

    Returns:
        The summary and the path of the table of answers.

    Raises:
        InputError: If the table or the zip cannot be read.
    """
    output = Path(tempfile.mkdtemp(prefix="faunacheck-")) / f"answers{table.suffix}"

    def rows(pairs: Iterable[tuple[str, str]], _: Path) -> Iterator[dict[str, Any]]:
        waiting: deque[str] = deque()

        def given() -> Iterator[tuple[str, str]]:
            for text, image in pairs:
                waiting.append(image)
                yield text, str(names.get(image.removeprefix("./"), folder / "none"))

        for answer in verifier.verify_many(given()):  # opens nothing but what was uploaded
            image = waiting.popleft()
            row = answer.to_row() | {"image": image}
            if row["error"]:
                row["error"] = f"{image}: {row['error'].removeprefix(f'{answer.image}: ')}"
            yield row

    with tempfile.TemporaryDirectory(prefix="faunacheck-") as name:
        folder = Path(name)
        names = unpack(photos, folder) if photos else {}
        return str(answer_table(rows, verifier.columns, table, output)), str(output)


def unpack(archive: Path, folder: Path) -> dict[str, Path]:
    """Unpack a zip under numbers, so that no name in it can lead anywhere.

    Returns:
        By name in the zip, the file.

    Raises:
        InputError: If it cannot be read or is too large.
    """
    found = {}
    try:
        with zipfile.ZipFile(archive) as file:
            members = [member for member in file.infolist() if not member.is_dir()]
            if sum(member.file_size for member in members) > MAX_UNPACKED:
                raise InputError(f"the zip holds more than {MAX_UNPACKED // 2**20:,} MiB")
            for number, member in enumerate(members):
                path = folder / str(number)
                with file.open(member) as source, path.open("wb") as target:
                    shutil.copyfileobj(source, target)
                found[member.filename] = path
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError) as error:
        raise InputError(f"the zip cannot be read ({error})") from error
    return found


class Offline:
    """ASGI middleware: a page that asks no other host for anything.

    Args:
        app: Serves Gradio's page.
    """

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take references to other hosts out of HTML, and forbid them."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start: Message | None = None
        body = b""

        async def edited(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                headers = dict(message["headers"])
                if not headers.get(b"content-type", b"").startswith(b"text/html"):
                    await send(message)
                    return
                start = message  # its length is known when the body is
            elif start is None:
                await send(message)
            else:
                body += message.get("body", b"")
                if not message.get("more_body"):
                    page = _FOREIGN.sub(b"", body)
                    headers = dict(start["headers"]) | {
                        b"content-length": str(len(page)).encode(),
                        b"content-security-policy": POLICY.encode(),
                    }
                    await send(start | {"headers": list(headers.items())})
                    await send({"type": "http.response.body", "body": page})

        await self.app(scope, receive, edited)
