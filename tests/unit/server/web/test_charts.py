"""Charts as markup: nothing in them that a strict page blocks, and no text that is markup."""

from selectolax.lexbor import LexborHTMLParser

from server.web.charts import Line, Mark, line_chart, timeline

HOSTILE = '</title></svg><script>alert("x")</script> & "quotes"'


def a_chart() -> str:
    points = [Mark(x=1, y=30.5, label=HOSTILE, link="/sessions/1"), Mark(x=2, y=31.25, label="two"), None]
    band = [Mark(x=1, y=30, label=""), Mark(x=1, y=31, label=""), Mark(x=2, y=31, label="")]
    lines = [Line(name="band", points=band, dots=False), Line(name="laps", points=points)]
    return line_chart(lines, x_title=HOSTILE, x_labels=[(1, HOSTILE)])


def test_a_chart_has_no_script_style_or_id_of_its_own() -> None:
    page = LexborHTMLParser(a_chart())
    assert not page.css("script, style, [style], [id], desc, defs")
    assert all(not name.startswith("on") for node in page.css("*") for name in node.attributes)


def test_what_a_chart_says_is_text() -> None:
    page = LexborHTMLParser(a_chart())
    assert [node.text() for node in page.css("circle")] == ["", ""]
    assert [node.text() for node in page.css("a title")] == [HOSTILE]
    assert HOSTILE in [node.text() for node in page.css("text")]


def test_the_parts_of_a_chart_have_the_names_of_its_lines() -> None:
    page = LexborHTMLParser(a_chart())
    assert len(page.css(".of-band path.line")) == 1
    assert len(page.css(".of-laps .dot")) == 2


def test_a_chart_is_drawn_again_as_it_was() -> None:
    assert a_chart() == a_chart()


def test_the_keyboard_does_not_stop_in_a_chart() -> None:
    page = LexborHTMLParser(a_chart())
    assert [svg.attributes["aria-hidden"] for svg in page.css("svg")] == ["true"]
    assert [link.attributes["tabindex"] for link in page.css("a")] == ["-1"]


def test_a_long_name_beside_a_timeline_keeps_its_transponder() -> None:
    strokes = [Mark(x=36000, y=1, label="one"), Mark(x=36300, y=1, label="one")]
    line = Line(name="class-0", points=strokes)
    chart = LexborHTMLParser(timeline(["★ Gideon Larkspur 8602211", "Ann"], [line], (10, 11)))
    assert [node.text() for node in chart.css(".axis.y text")] == ["★ Gideon Larksp… 8602211", "Ann"]


def test_a_timeline_has_a_stroke_for_each_session() -> None:
    strokes = [
        Mark(x=36000, y=1, label="first"),
        Mark(x=36300, y=1, label="first"),
        None,
        Mark(x=39600, y=0, label="second"),
        Mark(x=39900, y=0, label="second"),
        None,
    ]
    page = LexborHTMLParser(timeline([HOSTILE, "Ann"], [Line(name="class-0", points=strokes)], (10, 12)))
    assert len(page.css(".of-class-0 path.line")) == 2
    assert [node.text() for node in page.css(".axis.x text")] == ["10:00", "11:00", "12:00"]
