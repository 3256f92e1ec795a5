"""What every picture widget needs: a crisp enlarged image, and errors that are seen."""

from __future__ import annotations

import functools
import threading

import ipywidgets as w


def pixel_image(width: int, height: int, css_class: str = "course-pixelated") -> w.Image:
    """An image shown at a fixed size, with hard pixels by default. Needs CSS somewhere on the page."""
    image = w.Image(
        format="png",
        width=width,
        height=height,
        layout=w.Layout(align_self="flex-start", width=f"{width}px", height=f"{height}px", flex="0 0 auto"),
    )
    image.add_class(css_class)
    return image


CSS = (
    "<style>.course-pixelated{image-rendering:pixelated;object-fit:contain}"
    ".jupyter-widgets.course-status{white-space:normal;height:auto;max-width:100%}</style>"
)


def guarded(method):
    """A callback that runs one at a time and writes an error into `self.status` instead of losing it."""

    @functools.wraps(method)
    def call(self, change=None):
        with self.lock:
            try:
                method(self)
            except Exception as error:
                self.status.value = f"stopped: {type(error).__name__}: {error}"

    return call


class Picture(w.VBox):
    """Base of the picture widgets: a lock, a status line, an image."""

    def __init__(self, width: int, height: int, css_class: str = "course-pixelated"):
        super().__init__()
        self.lock = threading.RLock()
        self.status = w.Label()
        self.status.add_class("course-status")  # wraps where the page is narrow
        self.image = pixel_image(width, height, css_class)
        self.style_tag = w.HTML(CSS, layout=w.Layout(display="none"))
