"""Tables on cards: values are text, and named columns are headers for a screen reader."""

from course_lib.exercises import cards
from course_lib.exercises.cards import table


def test_a_table_names_its_columns_only_if_asked():
    rows = [("a<b", 1), ("c", 2.5)]
    assert "<th" not in table(rows) and "a&lt;b" in table(rows)
    headed = table(rows, head=["name", "p > 0"])
    assert headed.count('<th scope="col"') == 2 and "p &gt; 0" in headed
    assert headed.index("</thead>") < headed.index("a&lt;b")


def test_code_and_emphasis():
    assert cards.escape("a *word* and `x * y * z` < 3*4*5") == "a <em>word</em> and <code>x * y * z</code> &lt; 3*4*5"
    assert cards.escape("two *words here*, not 2 * 3 * 4") == "two <em>words here</em>, not 2 * 3 * 4"
