"""My day: names and transponders that the user chose once, kept by the browser in a cookie for all pages."""

from urllib.parse import quote, unquote

from litestar import post
from litestar.response import Redirect

from schemas.scopes import Scope
from server.http.callers import needs
from server.http.services import ApiRequest
from server.web.mine_view import words_of
from server.web.pages import go_to
from server.web.session import cookie, own_path

COOKIE = "lapstream_mine"
KEPT_SECONDS = 400 * 24 * 60 * 60
"""As long as browsers keep a cookie at most."""


def mine_of(request: ApiRequest) -> tuple[str, ...]:
    """The names and transponders that this browser's user chose."""
    return words_of(unquote(request.cookies.get(COOKIE, "")))


@post("/mine", guards=[needs(Scope.read)])
async def choose_mine(request: ApiRequest) -> Redirect:
    """Keep what was chosen, or forget it where nothing is, and lead back."""
    form = await request.form()
    words = words_of(str(form.get("drivers", "")))
    answer = go_to(own_path(str(form.get("next", "/"))))
    answer.set_cookie(cookie(request, COOKIE, quote(", ".join(words)), KEPT_SECONDS if words else 0))
    return answer
