"""How things are found: the registry of a person-segmentation dataset.

``from sceneset.registry import Registry`` is the way in; it is imported when first asked for,
so that ``sceneset --help`` does not wait for pydantic.
"""

TYPE_CHECKING = False  # as typing has it, whose import would take longer than an answer
if TYPE_CHECKING:
    from typing import Any

    from sceneset.registry.catalog import Registry

__all__ = ["Registry"]


def __getattr__(name: str) -> "Any":
    if name in __all__:
        from sceneset.registry import catalog

        return getattr(catalog, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
