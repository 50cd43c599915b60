"""What the JSON API takes and returns; `/api/docs` shows it."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from sceneset.catalog.sample_arrays import Filter
from sceneset.catalog.sample_index import SampleQuery
from sceneset.schemas.terms import Phase

MOST_MARKED = 10_000
"""Most samples of one basket."""

Number = Annotated[float | None, BeforeValidator(lambda value: None if value == "" else value)]
"""A number; an empty field of a form is none."""
PersonsText = Literal["single", "multi", "unknown"]
SortText = Literal["name", "person-share", "size"]


class Answer(BaseModel):
    """Base model of answers: its docstrings describe the fields in the API's page."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class FilterParams(BaseModel):
    """Which samples are meant. Several values of one field select the union."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    text: Annotated[str, Field(max_length=200)] = ""
    """Words; each must be part of the stem, the source, a name of a scene in either language, or
    the name, description or vendor of the subset. train/0001 names a sample of a phase."""
    scene: list[str] = Field(default_factory=list)
    """Scenes by key, name or alias."""
    persons: list[PersonsText] = Field(default_factory=list)
    """Number of persons; with scenes, in one of these scenes."""
    phase: list[Phase] = Field(default_factory=list)
    """train, val or test."""
    subset: list[str] = Field(default_factory=list)
    """Full names of subsets."""
    rule: list[str] = Field(default_factory=list)
    """Codes of rules on single samples: samples with such an error or warning."""
    min_person_share: Number = None
    """Share of person pixels, 0 to 1."""
    max_person_share: Number = None
    min_ignore_share: Number = None
    """Share of ignored pixels, 0 to 1."""
    max_ignore_share: Number = None
    min_width: Number = None
    """Width in pixels, as shown."""
    max_width: Number = None
    min_height: Number = None
    max_height: Number = None
    min_parts: Number = None
    """Number of connected parts of the mask."""
    max_parts: Number = None
    min_holes: Number = None
    max_holes: Number = None
    min_contrast: Number = None
    """Largest minus smallest green value under the mask, 0 to 255."""
    max_contrast: Number = None

    def ranges(self) -> tuple[tuple[str, float | None, float | None], ...]:
        """Return the limits of numbers as `Filter` has them."""
        from sceneset.catalog.sample_index_tables import RANGES

        found = ((n, getattr(self, f"min_{n}"), getattr(self, f"max_{n}")) for n in RANGES)
        return tuple(one for one in found if one[1] is not None or one[2] is not None)

    def filter(self, scenes: tuple[str, ...]) -> Filter:
        """Return the filter; ``scenes`` are the keys of the scenes that ``scene`` names."""
        return Filter(
            text=self.text,
            scenes=scenes,
            persons=tuple(sorted(set(self.persons))),
            phases=tuple(sorted(set(map(str, self.phase)))),
            subsets=tuple(sorted(set(self.subset))),
            rules=tuple(sorted(set(self.rule))),
            ranges=self.ranges(),
        )


class SearchParams(FilterParams):
    """Which samples are meant, in which order, and which page of them."""

    sort: SortText = "name"
    """name, person-share or size; the smallest first."""
    reverse: bool = False
    """The largest first."""
    after: Annotated[str, Field(max_length=1000)] = ""
    """The value of `next` of the page before."""
    limit: Annotated[int, Field(ge=1, le=500)] = 60
    """Samples of a page."""

    def query(self, scenes: tuple[str, ...]) -> SampleQuery:
        """Return the query; ``scenes`` are the keys of the scenes that ``scene`` names."""
        return SampleQuery(self.filter(scenes), self.sort, self.reverse)


class Sample(Answer):
    """A sample."""

    subset: str
    phase: str
    stem: str
    scenes: str
    """Keys of scenes, separated by ";", with the persons after ":" where they differ."""
    persons: str | None
    """single, multi, mixed, or null."""
    boxes: int | None
    source: str
    width: int | None
    """Width in pixels, as shown; null if the sample is not scanned."""
    height: int | None
    person_share: float | None
    ignore_share: float | None
    parts: int | None
    holes: int | None
    contrast: int | None
    straight: int | None
    orientation: int | None
    """EXIF orientation of the image, 1 to 8."""
    findings: str
    """Rules on single samples that the sample breaks, separated by ";"."""
    kind: str
    image: str
    """Path of the image below the subset's folder."""
    mask: str
    image_md5: str
    mask_md5: str
    thumb: str
    """Address of a small picture."""
    outline: str
    """Address of the outline of the mask, a transparent SVG picture."""


class SamplePage(Answer):
    """Some samples of a result."""

    total: int
    """Samples of the whole result."""
    samples: list[Sample]
    next: str
    """What `after` must be for the next page; "" on the last one."""


class Facets(Answer):
    """Numbers of samples by value; each facet ignores the choice that was made in itself."""

    total: int
    """Samples of the result."""
    scene: dict[str, int]
    persons: dict[str, int]
    phase: dict[str, int]
    subset: dict[str, int]
    rule: dict[str, int]


class SampleFinding(Answer):
    """A rule that a sample breaks."""

    rule: str
    severity: str
    title: str
    """What the rule reports."""


class SceneName(Answer):
    """A scene of a sample."""

    key: str
    en: str
    zh: str
    persons: str | None


class SampleFacts(Sample):
    """Everything about a sample."""

    scene_names: list[SceneName]
    finding_rules: list[SampleFinding]


class Event(Answer):
    """A state of a sample in versions."""

    version: str
    """A version or branch; "" is the state that is shown."""
    image_md5: str
    mask_md5: str
    scenes: list[str]


class SimilarAnswer(Answer):
    """A sample that is similar to another one."""

    similarity: float
    """Cosine of the angle between the two vectors, -1 to 1."""
    sample: Sample


class Scene(Answer):
    """A scene of the vocabulary."""

    key: str
    en: str
    zh: str
    aliases: list[str]
    samples: int
    single: int
    multi: int


class SubsetAnswer(Answer):
    """A subset."""

    name: str
    kind: str
    category: str
    samples: int
    train: int
    val: int
    test: int
    withdrawn: int
    """Withdrawn samples, which are not shown."""
    internal: int
    """Samples for internal use that are not shown."""
    licence: str
    vendor: str
    description_en: str
    description_zh: str


class Summary(Answer):
    """What is served."""

    title: str
    state: str
    """The revision; "" is the working tree."""
    commit: str
    samples: int
    subsets: int
    scenes: int
    withdrawn: int
    internal: int
    program: str
    """The version of sceneset."""


class VersionAnswer(Answer):
    """A released version."""

    version: str
    samples: int
    subsets: int
    step: str
    """The smallest step that its changes allow: major, minor or patch."""
    notes: str


class MarkRequest(BaseModel):
    """What to make of marked samples."""

    model_config = ConfigDict(extra="forbid")

    samples: Annotated[
        list[Annotated[str, Field(max_length=600)]], Field(min_length=1, max_length=MOST_MARKED)
    ]
    """Samples, each as subset/phase/stem."""
    name: Annotated[str, Field(max_length=64)] = ""
    """The name of the selection."""
    rule: Annotated[str, Field(max_length=64)] = ""
    """The rule that is waived."""
    reason: Annotated[str, Field(max_length=200)] = ""
    """Why its findings are acceptable."""


class MarkFile(Answer):
    """A file that was made of marked samples."""

    file: str
    """Its name."""
    text: str
    """Its content."""
    saved: bool
    """Whether it was written to the folder of --marks."""
    use: str
    """The command that takes it."""
