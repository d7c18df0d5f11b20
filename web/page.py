"""The page: a photo and a sentence in, the answer and its reasons out.

Everything runs on this machine. Gradio's page asks other hosts for a script and for fonts;
`OfflineMiddleware` takes these out, and forbids the browser to ask for anything else.
"""

import html
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from fastapi import FastAPI
from PIL import Image

from common.errors import InputError
from common.paths import ROOT
from common.tables import FORMATS
from engine.answer import Answer
from engine.verifier import Verifier
from web.middleware import HostMiddleware, OfflineMiddleware
from web.uploads import MAX_UPLOAD, answer_uploads

SAMPLES = ROOT / "data/samples"
EXAMPLES = [
    ["There is a raccoon, but no cow.", str(SAMPLES / "raccoon.jpg")],
    ["A kitten looks at the camera.", str(SAMPLES / "cat.jpg")],
    ["There is no zebra in this picture.", str(SAMPLES / "coffee.jpg")],
]
KEPT = 3600  # seconds that uploads and answers stay on disk
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


def highlighted(answer: Answer) -> list[tuple[str, str | None]]:
    """Return a text cut at its animals, each with what is said of it."""
    parts: list[tuple[str, str | None]] = []
    position = 0
    for judged in answer.verdict.claims if answer.verdict else ():
        claim = judged.claim
        parts.append((answer.text[position : claim.start], None))
        parts.append((claim.mention, DENIED if claim.negated else AFFIRMED))
        position = claim.end
    return [*parts, (answer.text[position:], None)]


def unchecked(answer: Answer) -> str:
    """Return what the answer leaves open, as Markdown."""
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
    """Return the page, whose pairs a verifier answers."""

    def check(text: str, photo: Image.Image | None) -> tuple[Any, ...]:
        if photo is None:
            raise _shown("There is no photo yet.")
        (answer,) = verifier.verify_many([(text or "", photo)])
        if answer.error:
            raise _shown(answer.error)
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
            raise _shown("There is no table yet.")
        folder = Path(tempfile.mkdtemp(dir=output.GRADIO_CACHE))  # where Gradio deletes it in time
        try:
            return answer_uploads(verifier, Path(table), Path(photos) if photos else None, folder)
        except InputError as error:
            raise _shown(error) from error

    options = {"analytics_enabled": False, "delete_cache": (KEPT // 6, KEPT)}
    with gr.Blocks(title="Faunacheck", **options) as page:
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


def _shown(error: object) -> gr.Error:
    """Return an error for the visitor; Gradio shows it as HTML."""
    return gr.Error(html.escape(str(error)), print_exception=False)


def mount(page: gr.Blocks, hosts: Sequence[str]) -> FastAPI:
    """Return the application that serves a page to some host names, ``*`` for any."""
    page.has_launched = True  # else Gradio hands out every file that its user can read
    app = gr.mount_gradio_app(
        FastAPI(openapi_url=None), page, "/", css=CSS, theme=THEME, max_file_size=MAX_UPLOAD
    )
    app.add_middleware(OfflineMiddleware)
    app.add_middleware(HostMiddleware, hosts=hosts)
    return app
