"""Silence Pillow."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_warnings() -> Iterator[None]:
    """Silence Pillow's warnings about large images and unusual metadata.

    Our own limits apply instead, and what matters is reported as a finding.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
