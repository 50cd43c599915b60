"""The vocabulary: every scene with its names, its aliases and its file stem."""

import difflib
from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, NamedTuple, Self

from pydantic import Field, model_validator

from sceneset.schemas.base import Localized, Model, Word
from sceneset.schemas.names import Stem
from sceneset.schemas.terms import TOTAL, Persons, Phase, folded

SceneKey = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]

_PERSONS_WORDS = {
    Persons.SINGLE: Localized(en="single-person", zh="单人"),
    Persons.MULTI: Localized(en="multi-person", zh="多人"),
}
_PHASE_WORDS = {
    Phase.TRAIN: Localized(en="training", zh="训练"),
    Phase.VAL: Localized(en="validation", zh="验证"),
    Phase.TEST: Localized(en="test", zh="测试"),
}


class Scene(Model):
    """One fine scene of the vocabulary."""

    key: SceneKey
    """The canonical key, as written in tags and look-ups."""
    name: Localized
    """Its names in English and Chinese; at least one."""
    aliases: tuple[Word, ...] = ()
    """Other names people type."""
    file_stem: Stem
    """What its split files are called: <file_stem>.txt."""

    @model_validator(mode="after")
    def _has_a_name(self) -> Self:
        if not (self.name.en or self.name.zh):
            raise ValueError("give the scene an English or a Chinese name")
        if self.key == TOTAL:
            raise ValueError(f"{TOTAL!r} is the row of all samples and can't name a scene")
        return self

    @property
    def all_names(self) -> tuple[str, ...]:
        """Every way to call the scene."""
        names = (self.key, self.name.en, self.name.zh, self.file_stem, *self.aliases)
        return tuple(name for name in names if name)


class SplitName(NamedTuple):
    """What a split file's name says; None where it says nothing."""

    scene: str
    persons: Persons | None
    phase: Phase | None


class Vocabulary(Model):
    """All scenes, in the order of the document's table."""

    multi_suffixes: tuple[Stem, ...] = Field(
        default=("_muiltiperson", "_multiperson"), min_length=1
    )
    """Ends of split file names that mean several persons. The first one is written: it is
    misspelt in the document, and configs in use name those files."""
    scenes: tuple[Scene, ...]

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        owner: dict[str, str] = {}
        for scene in self.scenes:
            for name in scene.all_names:
                other = owner.setdefault(folded(name), scene.key)
                if other != scene.key:
                    raise ValueError(f"{name!r} names both {other!r} and {scene.key!r}")
        if len({scene.key for scene in self.scenes}) != len(self.scenes):
            raise ValueError("two scenes have one key")
        if TOTAL in owner:
            raise ValueError(
                f"{TOTAL!r} is the row of all samples and can't name the scene {owner[TOTAL]!r}"
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
        """Yield the name of every split file that is read as the scene with this file stem."""
        for persons in ("", *self.multi_suffixes):
            yield stem + persons
            for phase in Phase:
                yield f"{stem}{persons}_{phase}"
                if stem == TOTAL:
                    yield phase

    @cached_property
    def by_key(self) -> dict[str, Scene]:
        """Scenes by canonical key."""
        return {scene.key: scene for scene in self.scenes}

    @cached_property
    def order(self) -> dict[str, int]:
        """Place of each key in the document's table; ``total`` comes first."""
        return {TOTAL: -1} | {scene.key: n for n, scene in enumerate(self.scenes)}

    @cached_property
    def _by_name(self) -> dict[str, str]:
        names = {folded(name): s.key for s in self.scenes for name in s.all_names}
        return {TOTAL: TOTAL} | names

    @cached_property
    def _by_file_stem(self) -> dict[str, str]:
        return {TOTAL: TOTAL} | {scene.file_stem: scene.key for scene in self.scenes}

    def find(self, name: str) -> str | None:
        """Return the key of the scene called ``name`` in any of its ways, or None."""
        return self._by_name.get(folded(name))

    def nearest(self, name: str, count: int = 3) -> list[str]:
        """Return the scenes with names most like ``name``, nearest first.

        They are named by key, which can be written anywhere; if ``name`` is no ASCII, by the
        name that is like it.
        """
        wanted = folded(name)
        close = difflib.get_close_matches(wanted, self._by_name, n=count * 3, cutoff=0.5)
        holding = [known for known in self._by_name if len(wanted) > 1 and wanted in known]
        scenes: dict[str, str] = {}
        for known in (*holding, *close):
            key = self._by_name[known]
            scenes.setdefault(key, key if wanted.isascii() else known)
        return list(scenes.values())[:count]

    def split_file(self, scene: str, persons: Persons | None, phase: Phase) -> str:
        """Return the file name of a row: ``ski.txt``, ``ski_muiltiperson.txt``, ``ski_val.txt``."""
        stem = TOTAL if scene == TOTAL else self.by_key[scene].file_stem
        multi = self.multi_suffixes[0] if persons is Persons.MULTI else ""
        return stem + multi + ("" if phase is Phase.TRAIN else f"_{phase}") + ".txt"

    def parse_split_file(self, file: str) -> SplitName | None:
        """Read what a split file's name says, or return None if it fits no scene."""
        stem = file.removesuffix(".txt")
        if stem in set(Phase):  # mmsegmentation's own habit: train.txt, val.txt
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

    def split_name(self, scene: str, persons: Persons | None, phase: Phase) -> str:
        """Return the document's name of a row: ``ski single-person``, ``total``."""
        words = [TOTAL if scene == TOTAL else self.by_key[scene].name.text("en")]
        if persons:
            words.append(_PERSONS_WORDS[persons].en)
        if phase is not Phase.TRAIN:
            words.append(f"({phase})")
        return " ".join(words)

    def describe(self, scene: str, persons: Persons | None, phase: Phase) -> Localized:
        """Return the document's description of a row, for rows that bring none: 滑雪单人."""
        if scene == TOTAL:
            part = _PHASE_WORDS[phase]
            whole = Localized(
                en=f"all {part.en} samples of the subset", zh=f"子数据集全部{part.zh}样本"
            )
            return (
                whole
                if persons is None
                else Localized(
                    en=f"{whole.en}, {_PERSONS_WORDS[persons].en}",
                    zh=f"{whole.zh}（{_PERSONS_WORDS[persons].zh}）",
                )
            )
        name = self.by_key[scene].name
        who = _PERSONS_WORDS[persons] if persons else Localized()
        later = Localized() if phase is Phase.TRAIN else _PHASE_WORDS[phase]
        return Localized(
            en=" ".join(filter(None, (name.text("en"), who.en, later.en and f"({later.en})"))),
            zh=name.text("zh") + who.zh + (f"（{later.zh}）" if later.zh else ""),
        )
