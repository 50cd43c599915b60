"""The web application: routes, errors, and the guard around them."""

from collections.abc import Callable
from importlib.metadata import version as installed_version
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException

from sceneset.errors import FindingsError, GitError, UnknownNameError, UsageError
from sceneset.server.api import api_of, find_sample
from sceneset.server.models import SearchParams
from sceneset.server.pages import LANGUAGES, asset, message_page, search_page
from sceneset.server.pictures import KINDS, Picture, Pictures
from sceneset.server.security import Access, Guard
from sceneset.server.site_pages import SitePages
from sceneset.server.state import BrokenError, Live

if TYPE_CHECKING:
    from starlette.types import ASGIApp

_KINDS_OF_FILES = {
    "css": "text/css",
    "js": "text/javascript",
    "html": "text/html",
    "webp": "image/webp",
    "json": "application/json",
}


def create_app(live: Live, pictures: Pictures, access: Access, pages: SitePages) -> "ASGIApp":
    """Return the application.

    Args:
        live: The registry.
        pictures: Draws pictures of its samples.
        access: Who may use it.
        pages: The pages of the catalogue.
    """
    app = FastAPIOffline(
        title=f"sceneset: {live.options.title}",
        version=installed_version("sceneset"),
        docs_url="/api/docs",
        redoc_url=None,
        openapi_url="/api/openapi.json",
        static_url="/api/assets",
    )
    app.include_router(api_of(live))
    _add_pictures(app, live, pictures)
    _add_pages(app, live, pages)
    _add_errors(app, live)
    return Guard(app, access)


def _add_pictures(app: FastAPI, live: Live, pictures: Pictures) -> None:
    place = "{subset}/{phase}/{stem}"

    def picture(
        request: Request, draw: Callable[..., Picture], key: tuple[str, str, str], *more: str
    ) -> Response:
        state = live.state()
        row = find_sample(state, *key)
        found = draw(state, row, *more, _language(request))
        if not found.tag:
            headers = {"cache-control": "no-store", "x-sceneset-picture": "missing"}
            return Response(found.data, media_type=found.kind, headers=headers)
        # A withdrawn image must not stay visible, so browsers ask each time.
        headers = {"cache-control": "private, no-cache", "etag": f'"{found.tag}"'}
        if request.headers.get("if-none-match") == headers["etag"]:
            return Response(status_code=304, headers=headers)
        return Response(found.data, media_type=found.kind, headers=headers)

    @app.get(f"/thumbs/{place}", tags=["pictures"], response_class=Response)
    def thumb(request: Request, subset: str, phase: str, stem: str) -> Response:
        """A small picture of the image; a gray tile says why there is none."""
        return picture(request, pictures.thumb, (subset, phase, stem))

    @app.get(f"/outlines/{place}", tags=["pictures"], response_class=Response)
    def outline(request: Request, subset: str, phase: str, stem: str) -> Response:
        """The outline of the mask as a transparent SVG picture."""
        return picture(request, pictures.outline, (subset, phase, stem))

    @app.get(f"/pictures/{{kind}}/{place}", tags=["pictures"], response_class=Response)
    def large(request: Request, kind: str, subset: str, phase: str, stem: str) -> Response:
        """A large picture of a sample: image, mask or overlay."""
        if kind not in KINDS:
            raise UnknownNameError(f"{kind!r} is not one of {', '.join(KINDS)}")
        return picture(request, pictures.large, (subset, phase, stem), kind)


def _add_pages(app: FastAPI, live: Live, pages: SitePages) -> None:
    @app.get("/", include_in_schema=False)
    def start(request: Request) -> RedirectResponse:
        return RedirectResponse(f"/{_language(request)}/search.html")

    @app.get("/favicon.ico", include_in_schema=False)
    def icon() -> Response:
        return Response(status_code=204)

    @app.get("/live/{name}", include_in_schema=False)
    def live_asset(name: str) -> Response:
        try:
            text = asset(name)
        except KeyError:
            raise HTTPException(404) from None
        return Response(text, media_type=_kind_of(name), headers={"cache-control": "no-cache"})

    _add_site_pages(app, live, pages)


def _add_site_pages(app: FastAPI, live: Live, pages: SitePages) -> None:
    @app.get("/{language}/search.html", include_in_schema=False)
    def search(language: str, params: Annotated[SearchParams, Query()]) -> HTMLResponse:
        if language not in LANGUAGES:
            raise HTTPException(404)
        try:
            return _html(search_page(live, live.state(), params, language))
        except ValueError as error:
            raise HTTPException(400, str(error)) from None

    @app.get("/{path:path}", include_in_schema=False)
    def site(request: Request, path: str) -> Response:
        state = live.state()
        if found := pages.read(state, path):
            headers = {"cache-control": "no-cache"}
            return Response(found, media_type=_kind_of(path), headers=headers)
        language = _language(request)
        folder, _, name = path.removesuffix(".html").partition("/")
        if folder in LANGUAGES and path.endswith(".html"):
            if reason := _unknown(state, name):
                raise UnknownNameError(reason)
            message = "" if pages.has_pages(state) else pages.reason(language)
            title = "not_found" if pages.is_ready else "wait"
            text = message_page(live, language, title, message=message)
            return _html(text, 404 if pages.is_ready else 503)
        raise HTTPException(404)


def _unknown(state: Any, name: str) -> str:
    """Return that a page is about a scene or a subset that does not exist, or ""."""
    kind, _, key = name.partition("/")
    if kind == "scenes" and key not in state.catalog.vocabulary.by_key:
        nearest = ", ".join(state.catalog.vocabulary.nearest(key))
        return f"no scene is called {key!r}.{f' Nearest: {nearest}' if nearest else ''}"
    if kind == "subsets" and key not in state.catalog.names:
        return f"no subset is called {key!r}"
    return ""


def _add_errors(app: FastAPI, live: Live) -> None:
    def answer(request: Request, status: int, name: str, error: Exception) -> Response:
        """Return an error as JSON for programs, and as a page for readers."""
        findings = getattr(error, "findings", [])
        message = "" if findings else str(getattr(error, "detail", "") or error)
        if _is_for_program(request):
            shown = [one.model_dump(mode="json") for one in findings]
            body = {"detail": message or str(error)} | ({"findings": shown} if shown else {})
            return JSONResponse(body, status)
        language = _language(request)
        text = message_page(live, language, name, message=message, findings=findings)
        return _html(text, status)

    async def broken(request: Request, error: Exception) -> Response:
        return answer(request, 503, "broken", error)

    async def unknown(request: Request, error: Exception) -> Response:
        return answer(request, 404, "not_found", error)

    async def wrong(request: Request, error: Exception) -> Response:
        return answer(request, 400, "wrong", error)

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException), "the handler is for these"
        name = "not_found" if error.status_code == 404 else "wrong"
        return answer(request, error.status_code, name, error)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError), "the handler is for these"
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"][1:]))
        return answer(request, 422, "wrong", UsageError(f"{where}: {first['msg']}"))

    for kinds, handler in (
        ((BrokenError, FindingsError, GitError), broken),
        ((UnknownNameError,), unknown),
        ((UsageError,), wrong),
        ((HTTPException,), refused),
        ((RequestValidationError,), invalid),
    ):
        for kind in kinds:
            app.add_exception_handler(kind, handler)


def _is_for_program(request: Request) -> bool:
    return request.url.path.startswith(("/api/", "/thumbs/", "/outlines/", "/pictures/", "/live/"))


def _language(request: Request) -> str:
    """Return the language of a page, of the page that shows a picture, or of the browser."""
    first = request.url.path.split("/")[1]
    if first in LANGUAGES:
        return first
    wanted = request.query_params.get("language") or request.headers.get("accept-language", "")
    return "zh" if wanted.lower().startswith("zh") else "en"


def _html(text: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(text, status, headers={"cache-control": "no-cache"})


def _kind_of(name: str) -> str:
    return _KINDS_OF_FILES.get(name.rpartition(".")[2], "application/octet-stream")
