"""The JSON API: what is served, search, facets, samples, scenes, subsets, versions, marks."""

from importlib.metadata import version
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Query, Request

from sceneset.errors import UnknownNameError
from sceneset.schemas.rules import RULES
from sceneset.server import marks
from sceneset.server.models import (
    Event,
    Facets,
    FilterParams,
    MarkFile,
    MarkRequest,
    Sample,
    SampleFacts,
    SampleFinding,
    SamplePage,
    Scene,
    SceneName,
    SearchParams,
    SimilarAnswer,
    SubsetAnswer,
    Summary,
    VersionAnswer,
)
from sceneset.server.similar import MOST, SimilarSample
from sceneset.server.state import Live, State
from sceneset.versions.history import History
from sceneset.versions.records import read_records


def sample_fields(row: dict[str, Any]) -> dict[str, Any]:
    """Return a sample of the index with the addresses of its pictures."""
    place = "/".join(quote(row[name], safe="") for name in ("subset", "phase", "stem"))
    fields = {name: value for name, value in row.items() if name != "id"}
    return fields | {"thumb": f"/thumbs/{place}", "outline": f"/outlines/{place}"}


def resolve_scenes(state: State, names: list[str]) -> tuple[str, ...]:
    """Return the keys of scenes that users name.

    Raises:
        UnknownNameError: No scene has one of these names; the nearest ones are listed.
    """
    vocabulary = state.catalog.vocabulary
    keys = {name: vocabulary.find(name) for name in names}
    for name, key in keys.items():
        if key is None:
            nearest = ", ".join(vocabulary.nearest(name))
            hint = f" Nearest: {nearest}" if nearest else ""
            raise UnknownNameError(f"no scene is called {name!r}.{hint}")
    return tuple(sorted({key for key in keys.values() if key}))


def find_sample(state: State, subset: str, phase: str, stem: str) -> dict[str, Any]:
    """Return a sample of the index.

    Raises:
        UnknownNameError: There is no such sample.
    """
    row = state.index.find(subset, phase, stem)
    if row is None:
        raise UnknownNameError(f"there is no sample {f'{subset}/{phase}/{stem}'!r}")
    return row


def facets_of(state: State, params: FilterParams) -> dict[str, Any]:
    """Return the numbers of samples by facet, and in all."""
    wanted = params.filter(resolve_scenes(state, params.scene))
    return {"total": state.index.count(wanted), **state.index.facets(wanted)}


def facts_of(state: State, row: dict[str, Any]) -> SampleFacts:
    """Return everything about a sample."""
    by_key = state.catalog.vocabulary.by_key
    pairs = [part.partition(":") for part in filter(None, row["scenes"].split(";"))]
    names = [
        SceneName(
            key=key,
            en=by_key[key].name.text("en"),
            zh=by_key[key].name.text("zh"),
            persons=persons or (row["persons"] if row["persons"] != "mixed" else None),
        )
        for key, _, persons in pairs
    ]
    rules = [
        SampleFinding(
            rule=code, severity=str(state.catalog.params.severity(code)), title=RULES[code].meaning
        )
        for code in filter(None, row["findings"].split(";"))
    ]
    return SampleFacts(**sample_fields(row), scene_names=names, finding_rules=rules)


def similar_of(state: State, found: list[SimilarSample], limit: int) -> list[SimilarAnswer]:
    """Return similar samples that are still in the registry."""
    answers: list[SimilarAnswer] = []
    for one in found:
        if (row := state.index.find(*one.key)) is not None:
            sample = Sample(**sample_fields(row))
            answers.append(SimilarAnswer(similarity=one.similarity, sample=sample))
            if len(answers) == limit:
                break
    return answers


def api_of(live: Live) -> APIRouter:
    """Return the routes of the API."""
    router = APIRouter(prefix="/api", tags=["api"])
    _add_lists(router, live)
    _add_similar(router, live)

    @router.get("/samples")
    def search(params: Annotated[SearchParams, Query()]) -> SamplePage:
        """Search samples; a page of them, in a stable order."""
        state = live.state()
        query = params.query(resolve_scenes(state, params.scene))
        try:
            page = state.index.page(query, after=params.after, limit=params.limit)
        except ValueError as error:
            raise HTTPException(400, str(error)) from None
        samples = [Sample(**sample_fields(row)) for row in page.samples]
        return SamplePage(total=page.total, samples=samples, next=page.next)

    @router.get("/facets")
    def facets(params: Annotated[FilterParams, Query()]) -> Facets:
        """Count the samples of a search by scene, persons, phase, subset and rule."""
        return Facets(**facets_of(live.state(), params))

    @router.get("/samples/{subset}/{phase}/{stem}")
    def sample(subset: str, phase: str, stem: str) -> SampleFacts:
        """Show everything about one sample."""
        state = live.state()
        return facts_of(state, find_sample(state, subset, phase, stem))

    @router.get("/history/{subset}/{phase}/{stem}")
    def history(subset: str, phase: str, stem: str) -> list[Event]:
        """Show one sample in all released versions; it may take a second for each version."""
        state = live.state()
        find_sample(state, subset, phase, stem)
        if state.catalog.origin is not None:
            raise HTTPException(404, "the history is known for a working tree only")
        found = History(state.catalog).find_by_name(subset, phase, stem)
        return [
            Event(
                version=one.version,
                image_md5=one.image_md5,
                mask_md5=one.mask_md5,
                scenes=list(one.scenes),
            )
            for one in found
        ]

    @router.post("/marks/{kind}")
    def mark(kind: str, request: MarkRequest, source: Request) -> MarkFile:  # noqa: ARG001
        """Make a file of marked samples: selection, waivers, table or stems."""
        if kind not in marks.KINDS:
            raise UnknownNameError(f"{kind!r} is not one of {', '.join(marks.KINDS)}")
        found = marks.mark_file(live.state(), kind, request)
        return marks.save(found, live.options.marks) if live.options.marks else found

    return router


def _add_similar(router: APIRouter, live: Live) -> None:
    @router.get("/similar/{subset}/{phase}/{stem}")
    def similar(
        subset: str,
        phase: str,
        stem: str,
        limit: Annotated[int, Query(ge=1, le=MOST)] = 12,
    ) -> list[SimilarAnswer]:
        """List similar samples, the most similar first; none if the sample has no vector.

        It needs `serve --vectors`.
        """
        state = live.state()
        find_sample(state, subset, phase, stem)
        if live.options.similar is None:
            raise HTTPException(404, "similar samples are known with `serve --vectors` only")
        return similar_of(state, live.options.similar.of((subset, phase, stem)), limit)


def _add_lists(router: APIRouter, live: Live) -> None:
    @router.get("/summary")
    def summary() -> Summary:
        """Show what is served."""
        return summary_of(live)

    @router.get("/scenes")
    def scenes() -> list[Scene]:
        """List the scenes of the vocabulary with their numbers of samples."""
        found = []
        for row in live.state().index.scenes:
            aliases = list(filter(None, row["aliases"].split(", ")))
            found.append(Scene(**{**row, "aliases": aliases}))
        return found

    @router.get("/subsets")
    def subsets() -> list[SubsetAnswer]:
        """List the subsets with their numbers of samples."""
        return [
            SubsetAnswer(**{name: 0 if value is None else value for name, value in row.items()})
            for row in live.state().index.subsets
        ]

    @router.get("/versions")
    def versions() -> list[VersionAnswer]:
        """List the released versions, oldest first."""
        return [
            VersionAnswer(
                version=one.version,
                samples=one.samples,
                subsets=len(one.subsets),
                step=one.changes.step,
                notes=one.notes,
            )
            for one in read_records(live.state().catalog.again())
        ]


def summary_of(live: Live) -> Summary:
    """Return what is served."""
    state = live.state()
    subsets = state.index.subsets
    origin = state.catalog.origin
    return Summary(
        title=live.options.title,
        state=live.options.state,
        commit=origin.commit if origin else "",
        samples=len(state.index),
        subsets=len(subsets),
        scenes=len(state.index.scenes),
        withdrawn=sum(subset["withdrawn"] for subset in subsets),
        internal=sum(subset["internal"] for subset in subsets),
        program=version("sceneset"),
    )
