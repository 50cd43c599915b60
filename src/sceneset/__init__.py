"""A dataset registry for person segmentation that validates itself.

``from sceneset import Registry`` is the Python interface. It is imported on first use, so that
``sceneset --help`` and look-ups load no library.
"""

TYPE_CHECKING = False  # importing typing would take longer than a look-up
if TYPE_CHECKING:
    from sceneset.api import Registry

    __version__: str

__all__ = ["Registry", "__version__"]


def __getattr__(name: str) -> object:
    if name == "Registry":
        from sceneset.api import Registry

        return Registry
    if name == "__version__":
        from importlib.metadata import version

        return version("sceneset")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
