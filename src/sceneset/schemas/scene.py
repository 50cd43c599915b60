"""The scene vocabulary: the names of every scene, and the names of its split files."""

import difflib
import itertools
import re
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Annotated, NamedTuple, Self

from pydantic import Field, model_validator

from sceneset.schemas.base import Localized, Model, Word
from sceneset.schemas.names import Stem
from sceneset.schemas.terms import TOTAL, Persons, Phase, fold_name

SceneKey = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]

_PERSONS_WORDS = {
    Persons.SINGLE: Localized(en="single-person", zh="单人"),
    Persons.MULTI: Localized(en="multi-person", zh="多人"),
}
PHASE_WORDS = {
    Phase.TRAIN: Localized(en="training", zh="训练"),
    Phase.VAL: Localized(en="validation", zh="验证"),
    Phase.TEST: Localized(en="test", zh="测试"),
}


_MAX_COMPARED = 5_000
"""Most names that are compared letter by letter for each unknown name."""


class Scene(Model):
    """One scene of the vocabulary."""

    key: SceneKey
    """The canonical key, used in tags and scene tables: lower-case letters, digits and "_"."""
    name: Localized
    """The name in English and Chinese; give at least one."""
    aliases: tuple[Word, ...] = ()
    """Other names that look-ups accept."""
    file_stem: Stem
    """Start of the names of its split files: <file_stem>.txt, <file_stem>_val.txt..."""

    @model_validator(mode="after")
    def _has_a_name(self) -> Self:
        if not (self.name.en or self.name.zh):
            raise ValueError("give the scene an English or a Chinese name")
        if self.key == TOTAL:
            raise ValueError(
                f"{TOTAL!r} is reserved for the row of all samples; choose another name"
            )
        return self

    @property
    def all_names(self) -> tuple[str, ...]:
        """All names of the scene: key, English and Chinese name, file stem and aliases."""
        names = (self.key, self.name.en, self.name.zh, self.file_stem, *self.aliases)
        return tuple(name for name in names if name)


def _without_word(name: str, word: str) -> str:
    """Return a folded name without a word at its end; "" if it does not end with it.

    Chinese words need no space before them.
    """
    if not word:
        return name
    if not name.endswith(word if not word.isascii() else f" {word}"):
        return ""
    return name.removesuffix(word).rstrip()


_BRACKETS = re.compile(r"[()\[\]（）【】]")
_PHASE_ENDINGS: dict[Phase | None, tuple[str, ...]] = {
    None: ("",),
    **{phase: (phase.value, words.zh, f"{words.zh}集") for phase, words in PHASE_WORDS.items()},
}
"""What the name of a split file may end with to name a phase."""


class SplitName(NamedTuple):
    """The parts of a split file's name. ``None``: the name does not specify it."""

    scene: str
    persons: Persons | None
    phase: Phase | None


class Vocabulary(Model):
    """The file registry/scenes.yaml: all scenes, in the order of the document's table."""

    multi_suffixes: tuple[Stem, ...] = Field(
        default=("_muiltiperson", "_multiperson"), min_length=1
    )
    """Endings of split file names that mean several persons. New files get the first ending. The
    default has the document's misspelling, because existing training configs use it."""
    scenes: tuple[Scene, ...]
    """All scenes, in the order in which tables show them."""

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        owner: dict[str, str] = {}
        for scene in self.scenes:
            for name in scene.all_names:
                other = owner.setdefault(fold_name(name), scene.key)
                if other != scene.key:
                    raise ValueError(f"{name!r} names both {other!r} and {scene.key!r}")
        if len({scene.key for scene in self.scenes}) != len(self.scenes):
            raise ValueError("two scenes have the same key")
        if TOTAL in owner:
            raise ValueError(
                f"{TOTAL!r} is reserved for the row of all samples; rename {owner[TOTAL]!r}"
            )
        return self

    @model_validator(mode="after")
    def _split_files_are_unique(self) -> Self:
        owner: dict[str, str] = {}
        for scene in (TOTAL, *(scene.key for scene in self.scenes)):
            stem = TOTAL if scene == TOTAL else self.by_key[scene].file_stem
            for name in self._split_stems(stem):
                other = owner.setdefault(name.casefold(), scene)
                if other != scene:
                    raise ValueError(f"{name}.txt would mean both {other!r} and {scene!r}")
        return self

    def _split_stems(self, stem: str) -> Iterator[str]:
        """Yield the stem of every split file name of the scene with the file stem ``stem``."""
        for persons in ("", *self.multi_suffixes):
            yield stem + persons
            for phase in Phase:
                yield f"{stem}{persons}_{phase}"
                if stem == TOTAL:
                    yield phase

    @cached_property
    def by_key(self) -> dict[str, Scene]:
        """All scenes by canonical key."""
        return {scene.key: scene for scene in self.scenes}

    @cached_property
    def order(self) -> dict[str, int]:
        """Position of each key in the vocabulary; ``total`` is -1 and comes first."""
        return {TOTAL: -1} | {scene.key: n for n, scene in enumerate(self.scenes)}

    @cached_property
    def _by_name(self) -> dict[str, str]:
        names = {fold_name(name): s.key for s in self.scenes for name in s.all_names}
        return {TOTAL: TOTAL} | names

    @cached_property
    def _by_file_stem(self) -> dict[str, str]:
        return {TOTAL: TOTAL} | {scene.file_stem: scene.key for scene in self.scenes}

    def find(self, name: str) -> str | None:
        """Return the key of the scene that has ``name`` among its names, or None."""
        return self._by_name.get(fold_name(name))

    def nearest(self, name: str, count: int = 3) -> list[str]:
        """Return up to ``count`` scenes with names similar to ``name``, most similar first.

        Scenes are returned by key, which is accepted everywhere. If ``name`` is not ASCII, the
        similar name itself is returned, because the key would not resemble it.
        """
        query = fold_name(name)
        names = () if len(self._by_name) > _MAX_COMPARED else self._by_name
        similar = difflib.get_close_matches(query, names, n=count * 3, cutoff=0.5)
        containing = [known for known in self._by_name if len(query) > 1 and query in known]
        scenes: dict[str, str] = {}
        for known in (*containing, *similar):
            key = self._by_name[known]
            scenes.setdefault(key, key if query.isascii() else known)
        return list(scenes.values())[:count]

    def split_file(self, scene: str, persons: Persons | None, phase: Phase) -> str:
        """Return the split file name of a row, for example ``ski_muiltiperson_val.txt``."""
        stem = TOTAL if scene == TOTAL else self.by_key[scene].file_stem
        multi = self.multi_suffixes[0] if persons is Persons.MULTI else ""
        return stem + multi + ("" if phase is Phase.TRAIN else f"_{phase}") + ".txt"

    def parse_split_file(self, file: str) -> SplitName | None:
        """Return the parts of a split file's name, or None if no scene of the vocabulary fits."""
        stem = file.removesuffix(".txt")
        if stem in set(Phase):  # mmsegmentation's convention: train.txt, val.txt
            return SplitName(TOTAL, None, Phase(stem))
        phase = next((p for p in Phase if stem.endswith(f"_{p}")), None)
        if phase and stem not in self._by_file_stem:
            stem = stem.removesuffix(f"_{phase}")
        else:
            phase = None
        if stem in self._by_file_stem:
            key = self._by_file_stem[stem]
            return SplitName(key, None if key == TOTAL else Persons.SINGLE, phase)
        for suffix in self.multi_suffixes:
            key = self._by_file_stem.get(stem.removesuffix(suffix), "")
            if stem.endswith(suffix) and key:
                return SplitName(key, Persons.MULTI, phase)
        return None

    def split_file_readings(self, file: str) -> tuple[SplitName, ...]:
        """Return what the name of a delivered split file can mean.

        Names that ``split_file`` writes have one meaning. In others, any name of a scene can be
        followed by words for the persons and the phase: ``skiing_multi_val.txt``, 滑雪（多人）.txt.
        If no name fits, spaces and their like do not count: ``highjump.txt`` is the high jump.
        The result is empty if no scene fits, and has several readings if the name is ambiguous.
        """
        if written := self.parse_split_file(file):
            return (written,)
        folded = fold_name(_BRACKETS.sub(" ", file.removesuffix(".txt")))
        if folded in set(Phase):
            return (SplitName(TOTAL, None, Phase(folded)),)
        names = self._by_name
        return tuple(
            dict.fromkeys(self._readings(folded, names.get))
            or dict.fromkeys(self._readings(folded, lambda r: self._joined.get(r.replace(" ", ""))))
        )

    def _readings(self, folded: str, find: Callable[[str], str | None]) -> Iterator[SplitName]:
        """Yield each reading of a folded name, in which ``find`` finds the key of the scene."""
        for phase, phase_words in _PHASE_ENDINGS.items():
            for persons, words in self._persons_words:
                for first, last in itertools.product(phase_words, words):
                    orders = ((first, last), (last, first))
                    rests = {_without_word(_without_word(folded, a), b) for a, b in orders}
                    if key := next(filter(None, map(find, sorted(rests - {""}))), None):
                        implied = None if key == TOTAL else Persons.SINGLE
                        yield SplitName(key, persons or implied, phase)

    @cached_property
    def _joined(self) -> dict[str, str]:
        """The key of each scene by its names without spaces, as far as these name one scene."""
        keys: dict[str, set[str]] = {}
        for name, key in self._by_name.items():
            keys.setdefault(name.replace(" ", ""), set()).add(key)
        return {name: found.pop() for name, found in keys.items() if len(found) == 1}

    @cached_property
    def _persons_words(self) -> tuple[tuple[Persons | None, tuple[str, ...]], ...]:
        """The endings of split file names, folded; "" for names that do not mention persons."""
        words = ("multi", "multiple", "multiperson", "muiltiperson", "多人")
        spaced = ("multi person", "multi persons", "multi people")
        multi = tuple(dict.fromkeys((*words, *spaced, *map(fold_name, self.multi_suffixes))))
        single = ("single", "singleperson", "single person", "单人")
        return (None, ("",)), (Persons.SINGLE, single), (Persons.MULTI, multi)

    def reading_name(self, name: SplitName) -> str:
        """Return the meaning of a split file's name for messages: ``ski (multi, val)``."""
        details = ", ".join(filter(None, (name.persons, name.phase)))
        return f"{name.scene} ({details})" if details else name.scene

    def split_name(self, scene: str, persons: Persons | None, phase: Phase) -> str:
        """Return a row's name as in the document's table: ``ski single-person``, ``total``."""
        words = [TOTAL if scene == TOTAL else self.by_key[scene].name.text("en")]
        if persons:
            words.append(_PERSONS_WORDS[persons].en)
        if phase is not Phase.TRAIN:
            words.append(f"({phase})")
        return " ".join(words)

    def describe(self, scene: str, persons: Persons | None, phase: Phase) -> Localized:
        """Return the default description of a row, worded as in the document: 滑雪单人."""
        if scene == TOTAL:
            phase_word = PHASE_WORDS[phase]
            everyone = Localized(
                en=f"all {phase_word.en} samples of the subset",
                zh=f"子数据集全部{phase_word.zh}样本",
            )
            if persons is None:
                return everyone
            return Localized(
                en=f"{everyone.en}, {_PERSONS_WORDS[persons].en}",
                zh=f"{everyone.zh}（{_PERSONS_WORDS[persons].zh}）",
            )
        name = self.by_key[scene].name
        people = _PERSONS_WORDS[persons] if persons else Localized()
        held_out = Localized() if phase is Phase.TRAIN else PHASE_WORDS[phase]
        english = (name.text("en"), people.en, held_out.en and f"({held_out.en})")
        return Localized(
            en=" ".join(filter(None, english)),
            zh=name.text("zh") + people.zh + (f"（{held_out.zh}）" if held_out.zh else ""),
        )
