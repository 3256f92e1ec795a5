"""The engine on a small exercise of its own: every verdict, every guard."""

import os
import random
import signal
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch

from course_lib.exercises import cards, engine, ledger, slopes
from course_lib.exercises.engine import Exercise, Property, Verdict, Wrong, WrongAnswer


def double(x):
    """Twice x."""
    return 2 * x


def check_double(answer):
    x = torch.tensor([1.0, 2.0])
    if not torch.equal(answer(x), 2 * x):
        raise Wrong(f"Twice 1 is 2; yours gives {answer(x)[0]:.1f}.")


ITEM = Exercise(
    id="99.double",
    reference=double,
    difficulty=1,
    minutes=1,
    hints=["add it to itself", "or multiply"],
    properties=[Property("doubles", check_double)],
    behaviour=lambda answer: [answer(torch.tensor(3.0))],
    other_forms=[lambda x: x + x],
    wrong_answers={
        "square": WrongAnswer(lambda x: x * x, "It behaves like the square."),
        "half": WrongAnswer(lambda x: x / 2, "It behaves like half."),
    },
    seconds=1.0,
)


@pytest.fixture
def registered(monkeypatch):
    monkeypatch.setitem(engine.EXERCISES, ITEM.id, ITEM)
    shown = []
    monkeypatch.setattr(cards, "show", lambda *things: shown.extend(things))
    yield shown
    engine._bound.pop(ITEM.id, None)


def test_right():
    assert engine.judge(ITEM, lambda x: x * 2.0) == Verdict("right", checked=("doubles",))


def test_wrong_and_recognised():
    verdict = engine.judge(ITEM, lambda x: x**2)
    assert (verdict.status, verdict.recognised, verdict.message) == (
        "wrong",
        "square",
        "Twice 1 is 2; yours gives 1.0.",
    )
    assert "It behaves like the square." in repr(engine.card(ITEM, verdict))


def test_wrong_in_a_way_nobody_thought_of():
    verdict = engine.judge(ITEM, lambda x: x + 17)
    assert verdict.status == "wrong" and verdict.recognised is None


def test_a_return_of_nothing_is_wrong_not_a_crash():
    space = {}  # from elsewhere, as a learner's cell is: the check falls over what comes back
    exec(compile("def answer(x):\n    return []", "<cell 3>", "exec"), space)
    verdict = engine.judge(ITEM, space["answer"])
    assert verdict.status == "wrong" and "could not be used" in verdict.message


@pytest.mark.parametrize("body", ["...", '"""Words."""\n    ...', "pass", "return None"])
def test_an_untouched_stub_is_not_attempted(body):
    space = {}
    exec(f"def f(x):\n    {body}", space)
    assert engine.is_stub(space["f"]) and engine.judge(ITEM, space["f"]).status == "not attempted"


@pytest.mark.parametrize("body", ["return x", "x = 1", "return 0", "yield", "raise ValueError"])
def test_anything_else_is_an_attempt(body):
    space = {}
    exec(f"def f(x):\n    {body}", space)
    assert not engine.is_stub(space["f"])


def test_an_error_names_the_learners_own_line():
    import linecache

    source = "def answer(x):\n    y = x + 1\n    return torch.nn.functional.softplus(y, z)\n"
    linecache.cache["<cell 7>"] = (len(source), None, source.splitlines(True), "<cell 7>")
    space = {"torch": torch}
    exec(compile(source, "<cell 7>", "exec"), space)
    verdict = engine.judge(ITEM, space["answer"])
    assert verdict.status == "error"
    assert verdict.message == "NameError: name 'z' is not defined\nline 3: return torch.nn.functional.softplus(y, z)"


def test_an_error_deep_in_a_library_still_names_the_learners_line():
    def answer(x):
        return torch.zeros(2) @ torch.zeros(3)

    assert "torch.zeros(2) @ torch.zeros(3)" in engine.judge(ITEM, answer).message


@pytest.mark.parametrize("handler", [signal.default_int_handler, signal.SIG_IGN])
def test_an_endless_loop_is_stopped_and_said(handler):
    """Also where interrupts are ignored, as in a job that a shell started in the background."""

    def answer(x):
        while True:
            x = x + 1

    before = signal.signal(signal.SIGINT, handler)
    try:
        verdict = engine.judge(ITEM, answer)
        assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert verdict.status == "too long" and "had not returned after 1 seconds" in verdict.message


def test_the_learners_own_interrupt_is_told_from_the_limit():
    def answer(x):
        raise KeyboardInterrupt

    assert engine.judge(ITEM, answer).status == "stopped"


def test_judging_off_the_main_thread_works_without_a_limit():
    found = []
    thread = threading.Thread(target=lambda: found.append(engine.judge(ITEM, double).status))
    thread.start()
    thread.join()
    assert found == ["right"]


def test_a_function_that_calls_itself_by_its_library_name_is_not_accepted():
    space = {"answer": double}  # as after one «Run All»: the name is bound to the library's function
    exec("def answer(x):\n    return answer(x)", space)
    mine, space["answer"] = space["answer"], double
    assert engine.judge(ITEM, mine).status == "error"
    assert space["answer"] is double


def test_nothing_outside_is_disturbed():
    states = random.getstate(), np.random.get_state()[1].copy(), torch.get_rng_state()

    def answer(x):
        random.random()
        np.random.rand()
        torch.rand(3)
        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(False)
        return 2 * x

    engine.judge(ITEM, answer)
    assert random.getstate() == states[0] and (np.random.get_state()[1] == states[1]).all()
    assert torch.equal(torch.get_rng_state(), states[2])
    assert torch.get_default_dtype() == torch.float32 and torch.is_grad_enabled()


def test_an_answer_that_leaves_autograd_off_would_stop_the_chapter():
    def answer(x):
        torch.set_grad_enabled(False)
        return 2 * x

    verdict = engine.judge(ITEM, answer)
    assert verdict.status == "wrong" and "Autograd is still switched off" in verdict.message
    assert engine.judge(ITEM, torch.no_grad()(lambda x: 2 * x)).status == "right"


def test_an_answer_that_writes_into_what_came_in_is_told_so():
    def in_place(x):
        y = x.float()  # the same tensor: it is float already
        y += x.clone()
        return y

    verdict = engine.judge(ITEM, in_place)
    assert verdict.status == "wrong" and "A tensor that came in was changed" in verdict.message
    assert engine.judge(ITEM, lambda x: x.clone().mul_(2)).status == "right"


def test_a_list_that_is_changed_is_told():
    def last(values):
        return values[-1]

    def check(answer):
        if answer([torch.ones(1), torch.zeros(1)]).item():
            raise Wrong("The last one is 0.")

    item = replace(ITEM, reference=last, properties=[Property("the last", check)], behaviour=lambda _: [])
    assert engine.judge(item, last).status == "right"
    for body in ("values.pop()", "values.append(values[-1]) or values[-1]", "values.reverse() or values[0]"):
        verdict = engine.judge(item, eval(f"lambda values: {body}"))
        assert verdict.status == "wrong" and "A list that came in was changed" in verdict.message


def test_a_renamed_argument_is_told():
    verdict = engine.judge(ITEM, lambda value: 2 * value)
    assert verdict.status == "wrong" and "The argument x is called value here" in verdict.message
    assert engine.judge(ITEM, lambda *values: 2 * values[0]).status == "right"


def test_an_answer_of_another_dtype_is_told():
    def check(answer):
        x = torch.ones(2)
        if not torch.allclose(answer(x), 2 * x):
            raise Wrong("Twice 1 is 2.")

    item = replace(ITEM, properties=[Property("doubles", check)])
    verdict = engine.judge(item, lambda x: 2 * x.double())
    assert "Is its dtype that of what came in?" in verdict.message


def test_slopes_are_those_of_the_values():
    def scaled(x, scale):
        return scale * x.square()

    x, scale = torch.randn(2, 3, dtype=torch.float64), torch.randn(3, dtype=torch.float64)
    slopes.follow(scaled, x=x, scale=scale)
    slopes.follow(lambda x, scale: scaled(x.float(), scale.float()), x=x, scale=scale)
    with pytest.raises(Wrong, match="slope in scale is not"):
        slopes.follow(lambda x, scale: scaled(x, scale.detach()), x=x, scale=scale)
    with pytest.raises(Wrong, match="slope in x is not.* autograd says 0"):
        slopes.follow(lambda x, scale: scaled(x, scale).detach(), x=x, scale=scale)


def test_a_right_answer_is_carried_on_and_kept_in_the_progress(registered):
    mine = lambda x: x + x  # noqa: E731
    assert engine.exercise("99.double")(lambda x: x) is double
    assert engine.exercise("99.double")(mine) is mine
    assert ledger.read()["exercises"]["99.double"] | {"when": ""} == {"status": "right", "attempts": 2, "when": ""}
    assert "Everything below runs on your own code" in repr(engine.running_on("99"))
    assert engine.exercise("99.double")(lambda x: x) is double
    assert ledger.read()["exercises"]["99.double"]["status"] == "right", "a later wrong try does not take it away"


def test_course_solve_answers_with_another_right_form_not_the_reference(registered, monkeypatch):
    monkeypatch.setenv("COURSE_SOLVE", "1")

    def stub(x): ...

    answer = engine.exercise("99.double")(stub)
    assert answer is not double and answer(4) == 8 and ledger.read()["exercises"]["99.double"]["status"] == "right"


def test_an_unknown_exercise_offers_the_nearest(registered):
    with pytest.raises(ValueError, match="exercise: .*did you mean '99.double'"):
        engine.get("99.duoble")


def test_the_folded_part_has_hints_and_the_librarys_own_source():
    markdown = engine.Folded(ITEM)._repr_markdown_()
    assert markdown.count("<details>") == 4 and "return 2 * x" in markdown and "reset=True" in markdown


def test_reset_keeps_what_was_written(registered):
    def mine(x):
        return x + x

    assert engine.exercise("99.double", reset=True)(mine) is double
    entry = ledger.read()["exercises"]["99.double"]
    assert entry["status"] == "not attempted" and "return x + x" in entry["kept"][0]


def test_progress_that_cannot_be_saved_is_said_and_not_fatal(registered, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "file" / "progress.json"))
    assert engine.exercise("99.double")(lambda x: x + x)(1) == 2
    assert "Your progress could not be saved" in repr(registered[0])


def test_a_damaged_progress_file_is_kept_aside(monkeypatch, tmp_path):
    for damage in ("{ half", "null"):
        ledger.path().write_text(damage)
        assert ledger.read()["exercises"] == {}
        (aside,) = tmp_path.glob("progress.damaged-*.json")
        assert aside.read_text() == damage
        aside.unlink()


def test_a_file_that_cannot_be_read_right_now_is_not_replaced(monkeypatch):
    assert ledger.record("quizzes", "x", right=1) is None

    def busy(*_, **__):
        raise PermissionError(13, "in use")

    with monkeypatch.context() as patch:
        patch.setattr(type(ledger.path()), "read_text", busy)
        assert "could not be saved: in use" in ledger.record("quizzes", "y", right=1)
        assert ledger.read()["quizzes"] == {}
    assert list(ledger.read()["quizzes"]) == ["x"]


def test_two_kernels_at_once_lose_nothing():
    def work(name):
        for index in range(10):
            assert ledger.record("quizzes", f"{name}.{index}", right=1) is None

    threads = [threading.Thread(target=work, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ledger.read()["quizzes"]) == 20 and not ledger.path().with_suffix(".lock").exists()


def test_a_lock_left_by_a_crash_is_ignored(monkeypatch):
    os.close(os.open(ledger.path().with_suffix(".lock"), os.O_CREAT | os.O_EXCL))
    assert ledger.record("quizzes", "x", right=1) is None and "x" in ledger.read()["quizzes"]


def test_cards_escape_what_they_are_given():
    card = engine.card(ITEM, Verdict("error", "TypeError: <Tensor> & `x`"))
    assert "&lt;Tensor&gt; &amp; <code>x</code>" in card._repr_html_() and "<Tensor> & x" in repr(card)


@pytest.mark.filterwarnings("error")
def test_a_complex_answer_is_compared_whole_and_says_nothing_of_casts():
    real, tolerance = torch.tensor([1.0, 2.0]), (1e-6, 1e-9)
    assert engine.same([real], [torch.complex(real, torch.zeros(2))], tolerance)
    assert not engine.same([real], [torch.complex(real, torch.ones(2))], tolerance)
