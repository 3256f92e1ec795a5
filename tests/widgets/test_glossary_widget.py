"""The glossary's search box, driven by its traits."""

from course_lib import glossary, widgets


def entries(widget):
    return widget.list.value.count("<p ")


def test_it_begins_with_everything_and_narrows_as_you_type():
    box = widgets.glossary()
    assert box.search.continuous_update and entries(box) == len(glossary.TERMS)
    counts = []
    for typed in ("c", "cov", "covariance ell"):
        box.search.value = typed
        counts.append(entries(box))
    assert counts[0] > counts[1] > counts[2] == 1 and box.status.value == "1 term for 'covariance ell'"
    assert "half-axes" in box.list.value and "Chapter 04." in box.list.value
    box.search.value = ""
    assert entries(box) == len(glossary.TERMS)


def test_a_slip_is_answered_with_the_nearest_name_and_nonsense_with_nothing():
    box = widgets.glossary("covarience")
    assert box.status.value == "no term matches 'covarience'; did you mean 'covariance'?" and entries(box) == 1
    box.search.value = "<b>xyzzyx</b>"
    assert box.status.value == "no term matches '<b>xyzzyx</b>'" and entries(box) == 0


def test_what_is_shown_is_escaped_and_code_is_code():
    box = widgets.glossary("eigenvalue")
    assert "|λ| &lt; 1" in box.list.value
    box.search.value = "detach"
    assert "<code>x.detach()</code>" in box.list.value


def test_the_list_is_in_the_order_of_the_keyboard_and_has_a_name():
    box = widgets.glossary()
    assert box.search.description == "search"
    assert 'tabindex="0" role="region" aria-label="terms"' in box.list.value
    assert box.children[0].children[0] is box.search and box.children[1] is box.list
