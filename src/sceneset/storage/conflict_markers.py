"""Find the conflict markers that git writes into text files it can't merge."""

CONFLICT = "holds conflict markers of git: a merge is not finished"
CONFLICT_HINT = "run `sceneset merge`; or edit the file, then `git add` it"
_START, _END = "<<<<<<< ", ">>>>>>> "


def conflict_line(text: str) -> int | None:
    """Return the number of the first line that is a conflict marker, or None if there is none."""
    if _START not in text or f"\n{_END}" not in text:
        return None
    if text.startswith(_START):
        return 1
    place = text.find(f"\n{_START}")
    return None if place < 0 else text.count("\n", 0, place) + 2
