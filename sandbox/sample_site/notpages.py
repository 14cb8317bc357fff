"""What a site sends instead of a page: each with status 200, as in life.

In: nothing, or the page that would have been right. Out: bytes that no parser may take for a day or session.
"""

from sandbox.sample_site import pen, templates


def render_bot_check() -> bytes:
    """The question whether we are a browser."""
    return templates.whole("bot_check", "served").fill().encode()


def render_login(track_name: str) -> bytes:
    """The page that asks for a name and a password."""
    return pen.page(
        "served",
        title=f"{track_name} :: Log In",
        track=track_name,
        heading="Log In",
        content=templates.whole("login", "served").fill(),
    )


def render_error_page(
    title: str = "500 Internal Server Error", text: str = "The server could not complete the request."
) -> bytes:
    """A server's own words for a failure."""
    return templates.whole("error_page", "served").fill(title=title, text=text).encode()


def truncated(page: bytes) -> bytes:
    """The first 60 percent of a page."""
    return page[: len(page) * 6 // 10]


def nested() -> bytes:
    """A small page of 100,000 elements, each inside the one before."""
    return b"<!doctype html><html><head><title>Nested</title></head><body>" + b"<div>" * 100_000
