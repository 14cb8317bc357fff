import datetime as dt

import pytest

from producer.pages import NotThatPage, WrongDate, parse_month
from sandbox.sample_site.render import Spelling, render_month
from tests.unit.producer.pages.samples import DATE, SLUG, SPELLINGS, URL, cases_list

DAYS = {DATE: 56, dt.date(2025, 10, 4): 3}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_month_names_its_days_and_the_months_on_offer(spelling: Spelling) -> None:
    body = render_month(SLUG, "2025-10", DAYS, ["2025-11", "2025-10"], spelling=spelling)
    facts = parse_month(body, url=URL, year_month="2025-10")
    assert (facts.year_month, facts.months, facts.findings) == ("2025-10", ("2025-11", "2025-10"), ())
    assert {day.date: day.sessions for day in facts.days} == DAYS


def test_another_month_is_refused() -> None:
    body = render_month(SLUG, "2025-10", DAYS, ["2025-11", "2025-10"])
    with pytest.raises(WrongDate):
        parse_month(body, url=URL, year_month="2025-11")


def test_a_day_of_another_month_is_refused() -> None:
    body = render_month(SLUG, "2025-10", {dt.date(2025, 9, 30): 1}, ["2025-10"])
    with pytest.raises(WrongDate, match="2025-09-30"):
        parse_month(body, url=URL)


def test_an_unreadable_day_is_a_finding() -> None:
    body = render_month(SLUG, "2025-10", DAYS, ["2025-10"]).replace(b">56<", b">many<")
    facts = parse_month(body, url=URL)
    assert [finding.code for finding in facts.findings] == ["unreadable_day"]
    assert len(facts.days) == 1


def test_a_day_list_is_no_month() -> None:
    with pytest.raises(NotThatPage):
        parse_month(cases_list(), url=URL)
