"""The stages of the DVC pipeline: one module per stage, run by `python -m sceneset.stages.<stage>`.

Stages do not import each other. What they share is in ``runner``.
"""
