"""How pages are carried out: what is run, what is left alone, and what counts as the same output."""

from tests.docs.outputs import merged
from tests.docs.page import blocks, commands, filled

PAGE = """\
# A page

<!--
$ hidden
-->

```console
$ one \\
    --more
$ two "
> lines"
printed
```

<!-- not run: it takes a day -->

```sh
long
```

1. In a list:

   **`file.py`**

   ```console
   $ three
   ```

```text
$ left alone
```
"""


def test_blocks_are_run_unless_a_reason_is_given() -> None:
    found = list(blocks(PAGE))
    assert [block.language for block in found] == ["", "console", "sh", "console", "text"]
    assert [block.runs for block in found] == [True, True, False, True, False]
    assert found[2].reason == "it takes a day"


def test_a_command_goes_on_as_it_does_in_a_terminal() -> None:
    [one, two] = commands(list(blocks(PAGE))[1].body)
    assert (one.text, one.output) == ("one \\\n    --more", [])
    assert (two.text, two.output) == ('two "\nlines"', ["printed"])


def test_a_page_that_is_filled_with_its_own_blocks_stays_as_it_is() -> None:
    assert filled(PAGE, lambda block: block.body) == PAGE
    assert "\n   new\n   ```" in filled(PAGE, lambda block: "new\n" if block.indent else block.body)


def test_what_differs_from_run_to_run_stays_as_it_is() -> None:
    old = ["run 8c774d48-0394-4cdf-a4fc-eb6b6298710e at 2026-11-23 11:24:09.519 UTC", "took 2.0 s │ a   │"]
    new = ["run 60716285-51bd-4343-ab15-c357a4f38d68 at 2026-11-26 07:16:06.1 UTC", "took 12.75 s │ a │"]
    assert merged(old, new) == old


def test_a_line_that_says_something_else_is_written_anew() -> None:
    assert merged(["a 1", "b 1", "c 1"], ["a 1", "b 2", "c 1"]) == ["a 1", "b 2", "c 1"]
    assert merged(["a", "b"], ["a"]) == ["a"]
    assert merged([], ["a"]) == ["a"]


def test_an_ellipsis_leaves_out_what_may_change() -> None:
    assert merged(["a", "…", "z"], ["a", "b", "c", "z"]) == ["a", "…", "z"]
    assert merged(["a", "…", "m", "…", "z"], ["a", "b", "m", "c", "y"]) == ["a", "…", "m", "…", "y"]
    assert merged(['{"a":…,"z":1}'], ['{"a":17,"z":1}']) == ['{"a":…,"z":1}']
    assert merged(["a", "…", "m", "…"], ["b", "c"]) == ["b", "c"]


def test_a_page_may_break_a_long_line() -> None:
    assert merged(['{"a":1,', '"b":…}'], ['{"a":1,"b":2}']) == ['{"a":1,', '"b":…}']
