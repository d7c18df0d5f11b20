"""What a request may cost."""

from dataclasses import dataclass

from common.config import option
from common.errors import InputError


@dataclass(frozen=True)
class Limits:
    """What the service accepts."""

    max_body: int = option(64 * 2**20, "bytes of a request")
    max_pixels: int = option(50_000_000, "pixels of a photo")
    max_text: int = option(10_000, "characters of a text")
    max_pairs: int = option(64, "pairs in a request")
    max_requests: int = option(32, "requests answered at once; beyond that, 429")
    timeout: float = option(30.0, "seconds for a request, its upload included")

    def __post_init__(self):
        for name, value in vars(self).items():
            if value <= 0:
                raise InputError(f"{name} must be above 0, not {value}")
