"""The exercise engine: a decorator that judges an answer the moment its cell is run.

An exercise is judged by properties (a closed form, a shape, a gradient, what must be left alone), never by
comparison with a hidden string. If a property fails, the answer's behaviour on a small probe is compared with
that of the exercise's *named wrong answers*, so that the card can say what was probably thought.

A right answer is carried into the chapter: the name in the notebook is bound to the learner's own function.
Anything else binds the library's, so that «Run All» always works.
"""

from __future__ import annotations

import dis
import functools
import importlib
import inspect
import linecache
import operator
import os
import pkgutil
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch

from course_lib.exercises import cards, ledger
from course_lib.exercises.feedback import Folded, card
from course_lib.exercises.guards import seed, time_limit, under_its_own_name, undisturbed
from course_lib.runtime import known


class Wrong(Exception):
    """A property does not hold; the text says which, in words, with the numbers."""


def require(condition, message: str) -> None:
    """Raise Wrong(message) unless the condition holds."""
    if not condition:
        raise Wrong(message)


@dataclass(frozen=True)
class Property:
    """says: what holds if `check(answer)` returns, as a noun phrase; check raises Wrong if it does not."""

    says: str
    check: Callable[[Callable], None]


@dataclass(frozen=True)
class WrongAnswer:
    """A mistake that people make, and a sentence that explains it to whoever made it."""

    function: Callable
    diagnosis: str


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    reference:     the library's function; bound where there is no right answer, and shown as the solution
    behaviour:     runs an answer on a small probe and returns what can be observed (tensors, numbers, strings)
    tolerance:     (relative, absolute) within which two behaviours are the same
    other_forms:   other right answers; the first one is what COURSE_SOLVE=1 answers
    wrong_answers: by name; tests prove that each is rejected and told apart
    difficulty:    1 to 3;  minutes: for a reader of the chapter;  seconds: limit for judging an answer
    """

    id: str
    reference: Callable
    properties: Sequence[Property]
    behaviour: Callable[[Callable], list]
    other_forms: Sequence[Callable]
    wrong_answers: Mapping[str, WrongAnswer]
    hints: Sequence[str]
    difficulty: int
    minutes: int
    tolerance: tuple[float, float] = (1e-4, 1e-6)
    seconds: float = 20.0
    when_slow: str = "is there a loop that never ends?"  # said to an answer that was stopped
    solution_also: Sequence[Callable] = ()  # helpers shown with the reference


@dataclass(frozen=True)
class Verdict:
    """status: "not attempted", "right", "wrong", "error", "stopped" or "too long"; the rest fits the status."""

    status: str
    message: str = ""
    checked: tuple[str, ...] = ()
    recognised: str | None = None


AUTOGRAD_OFF = (
    "Autograd is still switched off when your function has returned, so nothing after it could learn: "
    "`with torch.no_grad():` switches it on again by itself."
)
EXERCISES: dict[str, Exercise] = {}
_bound: dict[str, str] = {}  # what this kernel's chapter runs on


def register(*items: Exercise) -> None:
    """Called by each chapter's file of exercises."""
    EXERCISES.update({item.id: item for item in items})


def all_exercises() -> list[Exercise]:
    """Every exercise of every chapter, in order."""
    package = importlib.import_module("course_lib.exercises")
    for module in pkgutil.iter_modules(package.__path__):
        if module.name.startswith("ch"):
            importlib.import_module(f"course_lib.exercises.{module.name}")
    return sorted(EXERCISES.values(), key=lambda item: item.id.split(".")[0])


def get(exercise_id: str) -> Exercise:
    """raises: ValueError naming the nearest exercise if there is none of that id"""
    if exercise_id not in EXERCISES:
        all_exercises()
    return EXERCISES[known("exercise", exercise_id, EXERCISES)]


# ---------------------------------------------------------------- the decorator


def exercise(exercise_id: str, *, reset: bool = False) -> Callable[[Callable], Callable]:
    """Judge the function defined below it, show a card, and return the function the chapter goes on with.

    reset: put the empty stub back into the cell; the answer that stood there is kept in the progress file
    """
    item = get(exercise_id)

    def decorate(answer: Callable) -> Callable:
        if reset:
            return _reset(item, answer)
        if os.environ.get("COURSE_SOLVE") == "1" and is_stub(answer):
            answer = _renamed(item.other_forms[0], answer.__name__)
        verdict = judge(item, answer)
        trouble = None
        if verdict.status != "not attempted":
            tries = ledger.read()["exercises"].get(item.id, {})
            status = "right" if "right" in (verdict.status, tries.get("status")) else verdict.status
            trouble = ledger.record("exercises", item.id, status=status, attempts=tries.get("attempts", 0) + 1)
        _bound[item.id] = "your own function" if verdict.status == "right" else "the library's function"
        cards.show(card(item, verdict, trouble), Folded(item))
        return answer if verdict.status == "right" else item.reference

    return decorate


def running_on(chapter: str) -> cards.Card:
    """Which of a chapter's functions are the learner's own in this kernel, and which the library's."""
    rows = [(item_id, source) for item_id, source in _bound.items() if item_id.split(".")[0] == chapter]
    own = sum(source.startswith("your") for _, source in rows)
    title = (
        "Everything below runs on your own code"
        if rows and own == len(rows)
        else f"From here on {own} of {len(rows)} functions are yours; the library stands in for the rest"
    )
    return cards.Card("right" if rows and own == len(rows) else "open", title, [cards.table(rows)])


def is_stub(function: Callable) -> bool:
    """Whether the body is a docstring and `...` only. Looks at bytecode: source is not always to be had."""
    code = getattr(function, "__code__", None)
    if code is None:
        return False
    doing = [
        (step.opname, step.argval)
        for step in dis.get_instructions(code)
        if step.opname not in ("RESUME", "NOP", "CACHE", "EXTENDED_ARG")
    ]
    return doing in ([("LOAD_CONST", None), ("RETURN_VALUE", None)], [("RETURN_CONST", None)])


# ---------------------------------------------------------------- judging


def judge(item: Exercise, answer: Callable) -> Verdict:
    """Run every property on `answer`; leaves random state, grad mode and default dtype as they were."""
    if is_stub(answer):
        return Verdict("not attempted")
    renamed = _renamed_arguments(item, answer)
    if renamed:
        return Verdict("wrong", renamed)
    watched = _watched(answer)
    with under_its_own_name(answer), undisturbed():
        try:
            with time_limit(item.seconds) as limit:
                for check in item.properties:
                    seed()
                    check.check(watched)
                    require(torch.is_grad_enabled(), AUTOGRAD_OFF)
        except KeyboardInterrupt:
            if limit.reached:
                return Verdict(
                    "too long",
                    f"It had not returned after {item.seconds:.0f} seconds, so it was stopped: {item.when_slow}",
                )
            return Verdict("stopped", "Stopped by you while it was being checked.")
        except Wrong as error:
            return Verdict("wrong", str(error), recognised=_recognise(item, answer))
        except (Exception, SystemExit) as error:
            place = _learners_line(error, answer)
            if place is None:  # the check fell over what the answer returned
                return Verdict(
                    "wrong",
                    f"What it returned could not be used: {_in_words(error)}",
                    recognised=_recognise(item, answer),
                )
            return Verdict("error", f"{_in_words(error)}\n{place}", recognised=_recognise(item, answer))
    return Verdict("right", checked=tuple(check.says for check in item.properties))


def _renamed_arguments(item: Exercise, answer: Callable) -> str | None:
    """A sentence if an argument has another name than in the statement: a right answer is called by name further down."""
    try:
        mine, theirs = (list(inspect.signature(each).parameters.values()) for each in (answer, item.reference))
    except (TypeError, ValueError):  # something callable without a signature
        return None
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    for own, asked in zip(mine, theirs):
        if own.kind in named and asked.kind in named and own.name != asked.name:
            return f"The argument {asked.name} is called {own.name} here. The chapter calls your function by these names: keep those of the empty cell."
    return None


def _watched(answer: Callable) -> Callable:
    """The answer, but whoever calls it hears if it wrote into a tensor or changed a list that came in.

    Such an answer may be right once and spoil the chapter's data: `features -= features.mean(0)` works in place, also on
    what `features.double()` returned, if they were double already. A class is left as it is.
    """
    if inspect.isclass(answer):
        return answer

    @functools.wraps(answer)
    def watched(*args, **kwargs):
        came_in, lists = _tensors_and_lists((*args, *kwargs.values()))
        before = [list(each) for each in lists]
        versions = [None if each.is_inference() else each._version for each in came_in]  # autograd's count of writes
        found = answer(*args, **kwargs)
        require(
            all(version is None or each._version == version for each, version in zip(came_in, versions)),
            "A tensor that came in was changed. `x -= y` and methods that end in an underscore write into x, and into whatever shares its numbers: "
            "`x = x - y` makes a new one.",
        )
        require(
            all(len(old) == len(now) and all(map(operator.is_, old, now)) for old, now in zip(before, lists)),
            "A list that came in was changed. `pop`, `append` and `values[i] = …` write into the caller's list: make one of your own, `list(values)`.",
        )
        return found

    return watched


def _tensors_and_lists(values) -> tuple[list[torch.Tensor], list[list]]:
    """All tensors and all lists among the values, and inside their lists and tuples."""
    tensors, lists = [], []
    for each in values:
        if isinstance(each, torch.Tensor):
            tensors.append(each)
        elif isinstance(each, (list, tuple)):
            if isinstance(each, list):
                lists.append(each)
            inside = _tensors_and_lists(each)
            tensors += inside[0]
            lists += inside[1]
    return tensors, lists


def _recognise(item: Exercise, answer: Callable) -> str | None:
    """The name of the wrong answer that behaves like this one, if there is one."""
    try:
        with time_limit(item.seconds):
            mine = observe(item, answer)
            for name, wrong in item.wrong_answers.items():
                if same(mine, observe(item, wrong.function), item.tolerance):
                    return name
    except KeyboardInterrupt:
        pass
    return None


def observe(item: Exercise, answer: Callable) -> list:
    """The answer's behaviour on the exercise's probe; an exception is a behaviour too."""
    seed()
    try:
        return item.behaviour(answer)
    except (Exception, SystemExit) as error:
        return [f"raises {type(error).__name__}: {str(error)[:60]}"]


def same(one: list, other: list, tolerance: tuple[float, float]) -> bool:
    """Whether two behaviours agree: same length and kinds, numbers within the tolerance."""
    if len(one) != len(other):
        return False
    for a, b in zip(one, other):
        if isinstance(a, str) or isinstance(b, str) or a is None or b is None:
            if a is not b and a != b:
                return False
            continue
        a, b = torch.as_tensor(a), torch.as_tensor(b)
        kind = torch.complex128 if a.is_complex() or b.is_complex() else torch.float64
        a, b = a.to(kind), b.to(kind)
        if a.shape != b.shape or not torch.allclose(a, b, *tolerance, equal_nan=True):
            return False
    return True


def _in_words(error: BaseException) -> str:
    first = str(error).strip().splitlines()
    said = f"{type(error).__name__}: {first[0]}" if first else type(error).__name__
    return f"{said}. Is its dtype that of what came in?" if " did not match " in said else said


def _learners_line(error: BaseException, answer: Callable) -> str | None:
    """«line 5: x = …» of the last frame that is in the learner's own cell; None if no frame is."""
    plain = inspect.unwrap(answer.__init__ if inspect.isclass(answer) else answer)
    own = getattr(getattr(plain, "__code__", None), "co_filename", None)
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename == own:
            text = (frame.line or linecache.getline(own, frame.lineno)).strip()
            return f"line {frame.lineno}: {text}"
    return None


def _renamed(function: Callable, name: str) -> Callable:
    @functools.wraps(function)
    def answer(*args, **kwargs):
        return function(*args, **kwargs)

    answer.__name__ = name
    return answer


# ---------------------------------------------------------------- starting over


def _reset(item: Exercise, answer: Callable) -> Callable:
    from IPython import get_ipython

    from course_lib.notebook import shipped_cell

    stub = shipped_cell("x-" + item.id.replace(".", "-").replace("_", "-"))
    shell = get_ipython()
    try:  # the whole cell: what stands beside the function is the learner's work too
        kept = shell.user_ns["In"][-1] if shell else inspect.getsource(answer)
    except (OSError, TypeError) as error:
        kept, trouble = "", f"What stands here could not be read: {error}."
    else:
        old = ledger.read()["exercises"].get(item.id, {}).get("kept", [])
        trouble = ledger.record("exercises", item.id, status="not attempted", kept=[*old, kept])
    _bound[item.id] = "the library's function"
    if trouble:
        cards.show(cards.Card("error", f"{item.id}: left as it is", [cards.escape(trouble)]))
        return item.reference
    if shell is not None and stub is not None:
        shell.set_next_input(stub, replace=True)
    cards.show(
        cards.Card("open", f"{item.id}: the empty stub is back", ["What stood here is kept in your progress file."])
    )
    return item.reference
