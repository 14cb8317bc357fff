"""The site: how fast it is asked, what holds requests back, and the switch that stops all fetching."""

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec.structs import replace

from producer import budget as sites
from schemas.scopes import Scope
from server.http.callers import needs
from server.http.services import ApiRequest, connected, services_of
from server.web import links
from server.web.operate.acting import Action, Question, ask, chosen, lead_to, operating, reason_of
from server.web.pages import page
from server.web.texts import TEXTS

TURNS = {"pause": True, "resume": False}
"""The two ways to turn the switch, by the last part of their addresses."""


@get("/operate/site", guards=[needs(Scope.operate)])
async def read_site(request: ApiRequest) -> Response[bytes]:
    """Show what holds the site's requests back."""
    settings = services_of(request).settings
    async with connected(request) as connection:
        state = await sites.state(connection, settings.site)
    return page(
        request,
        "operate/site.html",
        state=state,
        site=settings.site,
        interval=settings.site_interval_seconds,
        at_once=settings.site_parallel_requests,
    )


@get("/operate/site/{what:str}", guards=[needs(Scope.operate)])
async def ask_site(request: ApiRequest, what: FromPath[str]) -> Response[bytes]:
    """Say what turning the switch does, and ask why."""
    return ask(request, await _question(request, what))


async def _question(request: ApiRequest, what: str) -> Question:
    paused = chosen(TURNS, what, "the site")
    async with connected(request) as connection:
        state = await sites.state(connection, services_of(request).settings.site)
    question = Question(
        place="site",
        title=TEXTS(f"operate.ask_site_{what}"),
        texts=[TEXTS(f"operate.means_site_{what}")],
        button=TEXTS(f"operate.do_site_{what}"),
        action=f"{links.site()}/{what}",
        back=links.site(),
        reason=True,
    )
    if paused and state.paused:
        return replace(question, refusal=TEXTS("operate.site_is_paused"))
    if not paused and not state.paused and not state.rest_seconds:
        return replace(question, refusal=TEXTS("operate.site_is_open"))
    return question


@post("/operate/site/{what:str}", guards=[needs(Scope.operate)])
async def turn_site(request: ApiRequest, what: FromPath[str]) -> Response[bytes] | Redirect:
    """Turn the switch, with a reason."""
    paused, reason = chosen(TURNS, what, "the site"), await reason_of(request)
    if reason is None:
        return ask(request, await _question(request, what), TEXTS("operate.reason_missing"))
    site = services_of(request).settings.site
    async with (
        operating(request, Action(f"site.{what}", site, reason)),
        connected(request) as connection,
    ):
        await sites.pause(connection, site, paused=paused)
    return lead_to(links.site(), f"site_{what}")
