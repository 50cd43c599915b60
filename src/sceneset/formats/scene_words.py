"""Propose scenes for the samples of a delivery, from words that it has; a person decides."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sceneset.catalog.subset_folder import printable
from sceneset.formats.metadata_lines import metadata_rows
from sceneset.formats.names import informative_folders, stems_of
from sceneset.formats.tree import Tree, without_suffix
from sceneset.formats.types import Format, FormatSample, Options, Report
from sceneset.schemas.finding import Finding
from sceneset.schemas.scene import Vocabulary
from sceneset.schemas.terms import TOTAL, fold_name

COLUMNS = ("phase", "stem", "scenes", "reason")
"""The columns of the file of proposals."""
_FILE_COLUMNS = (
    *("file_name", "filename", "file", "image", "image_name", "img", "path", "name", "stem"),
    *("图片", "图像", "文件", "文件名"),
)
_WORD_COLUMNS = (
    *("scene", "scenes", "category", "categories", "tag", "tags", "label", "labels"),
    *("caption", "text", "description", "场景", "标签", "类别", "描述"),
)
_MAX_SHOWN = 80  # characters of a word or caption in a reason
_MAX_REASONS = 4


class Proposal(NamedTuple):
    """The scenes that the words of a delivery suggest for one sample."""

    phase: str
    stem: str
    scenes: tuple[str, ...]
    reason: str


@dataclass
class Proposals:
    """What is proposed for a delivery."""

    rows: list[Proposal] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)
    """Words that name no scene, with the number of their samples."""


def propose_scenes(
    form: Format, tree: Tree, options: Options, vocabulary: Vocabulary, kinds: Sequence[str]
) -> Proposals:
    """Return proposals for all samples of a delivery, those without a suggestion too.

    Args:
        form: The annotation format.
        tree: The files of the delivery.
        options: What the user says about it.
        vocabulary: The scenes; a word names one by its key, names and aliases.
        kinds: Where words are taken from: "category", "caption", "folder", "csv".

    Raises:
        FindingsError: The delivery as a whole can't be read.
    """
    done = Proposals()
    samples = list(form.read(tree, options, done.findings.append))
    stems = stems_of(samples, tree)
    rows_of = _csv_words(tree, samples, done.findings.append) if "csv" in kinds else {}
    matcher = _Matcher(vocabulary)
    for sample, stem in zip(samples, stems, strict=True):
        scenes: dict[str, None] = {}
        reasons, unknown = [], []
        for kind in dict.fromkeys(kinds):
            for word in _words(kind, sample, rows_of):
                found = matcher.scenes(word)
                scenes |= dict.fromkeys(found)
                if found:
                    reasons.append(f"{kind} {_shown(word)}")
                else:
                    unknown.append(f"{kind} {_shown(word)}")
                    if kind != "caption":
                        done.unknown[word] += 1
        reason = "; ".join(dict.fromkeys(reasons[:_MAX_REASONS]))
        if not scenes and unknown:
            reason = f"no scene is named by {'; '.join(dict.fromkeys(unknown[:_MAX_REASONS]))}"
        elif not scenes:
            reason = f"there are no words to compare ({', '.join(dict.fromkeys(kinds))})"
        in_order = tuple(sorted(scenes, key=lambda scene: vocabulary.order[scene]))
        done.rows.append(Proposal(sample.phase, stem, in_order, reason))
    done.rows.sort()
    return done


def _shown(word: str) -> str:
    text = printable(" ".join(word.split()))
    return f'"{text[:_MAX_SHOWN]}..."' if len(text) > _MAX_SHOWN else f'"{text}"'


def _words(kind: str, sample: FormatSample, rows_of: dict[str, tuple[str, ...]]) -> Iterable[str]:
    if kind == "folder":
        return informative_folders(sample.image)
    if kind == "category":
        return sample.scenes
    return sample.captions if kind == "caption" else rows_of.get(sample.image, ())


class _Matcher:
    """Finds the scenes that a text names."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._find = vocabulary.find
        names = [(fold_name(name), s.key) for s in vocabulary.scenes for name in s.all_names]
        self._longest = max((name.count(" ") + 1 for name, _ in names), default=1)
        self._unspaced = [(n, key) for n, key in names if not n.isascii() and len(n) > 1]
        self._known: dict[str, tuple[str, ...]] = {}

    def scenes(self, text: str) -> tuple[str, ...]:
        """Return the keys of the scenes in a text: the text itself, or whole words of it."""
        if text not in self._known:
            if len(self._known) > 100_000:  # captions differ for each image
                self._known.clear()
            self._known[text] = tuple(dict.fromkeys(self._search(text)))
        return self._known[text]

    def _search(self, text: str) -> Iterator[str]:
        exact = self._find(text)
        if exact and exact != TOTAL:
            yield exact
            return
        folded = fold_name(re.sub(r"[^\w]+", " ", text))
        words = folded.split(" ")
        for start in range(len(words)):
            for count in range(min(self._longest, len(words) - start), 0, -1):
                key = self._find(" ".join(words[start : start + count]))
                if key and key != TOTAL:
                    yield key
                    break
        # Chinese has no spaces between words.
        yield from (key for name, key in self._unspaced if name in folded)


def _csv_words(
    tree: Tree, samples: Sequence[FormatSample], report: Report
) -> dict[str, tuple[str, ...]]:
    """Return the words about each image in the CSV files of a delivery."""
    images = {sample.image for sample in samples}
    by_stem: dict[str, list[str]] = defaultdict(list)
    for name in images:
        by_stem[without_suffix(name.rpartition("/")[2])].append(name)
    found: dict[str, list[str]] = defaultdict(list)
    for file in tree.with_suffix(".csv"):
        for _, row in metadata_rows(tree, file, report):
            values = {name.strip().casefold(): value for name, value in row.items()}
            named = next((values[c] for c in _FILE_COLUMNS if values.get(c)), None)
            if named is None:
                break  # another table
            image: str | None = tree.find(named, near=file)
            if image not in images:
                own = by_stem.get(without_suffix(named.replace("\\", "/").rpartition("/")[2]), [])
                own = own or by_stem.get(named, [])
                image = own[0] if len(own) == 1 else None
            if image is not None:
                for column in _WORD_COLUMNS:
                    found[image] += _parts(values.get(column) or "")
    return {key: tuple(words) for key, words in found.items()}


def _parts(text: str) -> list[str]:
    return [part for part in (p.strip() for p in re.split(r"[;,、，；|]", text)) if part]
