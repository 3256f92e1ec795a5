"""The glossary: complete, one line a term, found however it is typed, and its page is what it says."""

import re
import subprocess
import sys

import pytest

from course_lib import glossary
from course_lib.chapters import CHAPTERS
from course_lib.glossary import PAGE, TERMS, anchor, as_markdown, as_text, names, search
from course_lib.notebook import ROOT

OF_THE_NOTES = """probability distribution; fidelity; quality; diversity; feature extractor; Inception-v3 architecture; auxiliary classifier;
Inception layer; feature layer; pixel distance; feature distance; embeddings; Fréchet distance; Fréchet Inception Distance;
multivariate normal distribution; variance; covariance; covariance matrix; latent space; latent space distribution prior;
latent prior; interpolation; quantify"""


def first(words):
    return search(words)[0][0]


@pytest.mark.parametrize("name", [" ".join(name.split()) for name in OF_THE_NOTES.split(";")])
def test_every_term_of_the_notes_is_there_also_those_left_empty(name):
    found = first(name)
    assert name.lower().removesuffix("s") in [each.lower() for each in names(found)] and TERMS[found].definition


def test_every_chapter_introduces_terms_and_no_other_does():
    assert {term.chapter for term in TERMS.values()} == {chapter.number for chapter in CHAPTERS}


@pytest.mark.parametrize("name", TERMS)
def test_a_definition_is_one_line_and_a_sentence(name):
    definition = TERMS[name].definition
    assert 30 < len(definition) < 240 and "\n" not in definition and definition.endswith(".")
    assert definition.count("`") % 2 == 0 and "—" not in definition


def test_a_name_stands_for_one_term_and_an_anchor_too():
    everything = [each.lower() for name in TERMS for each in names(name)]
    assert len(everything) == len(set(everything))
    anchors = [anchor(name) for name in TERMS]
    assert len(anchors) == len(set(anchors)) and all(re.fullmatch("[a-z0-9][a-z0-9-]+", each) for each in anchors)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("FID", "Fréchet Inception Distance"),  # another name, before the terms that only mention it
        ("FRECHET DIST", "Fréchet distance"),  # case, accent, beginning
        ("is", "Inception Score"),
        ("ψ", "psi-truncation"),
        ("min max", "min-max game"),
        ("batch normalization", "batch normalisation"),
        ("normaliz", "AdaIN"),  # equal matches are alphabetical
        ("mover", "Wasserstein distance"),  # a later word of another name
        ("log-odds", "logit"),
        ("shell radius", "typical set"),  # words of a definition
        ("covarience", "covariance"),  # a slip
    ],
)
def test_a_term_is_found_however_it_is_typed(typed, found):
    assert first(typed) == found


def test_names_come_before_definitions():
    found = [name for name, _ in search("covariance")]
    assert found[:3] == ["covariance", "covariance ellipse", "covariance matrix"] and "correlation" in found[3:]
    assert [name for name, _ in search("")] == sorted(TERMS, key=anchor)
    assert search("xyzzyx") == []


def test_the_page_is_what_the_glossary_says():
    assert PAGE.read_text(encoding="utf-8") == as_markdown(), "run: gan-course build"


def test_the_headings_give_the_anchors_in_github_and_in_jupyterlab():
    headings = re.findall(r"^### (.+)$", as_markdown(), re.M)
    assert len(headings) == len(TERMS)
    jupyterlab = [heading.replace(" ", "-") for heading in headings]
    github = [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]
    assert jupyterlab == github == sorted(map(anchor, TERMS))
    assert anchor("binary cross-entropy") == "binary-cross-entropy" and anchor("Fréchet distance") == "frechet-distance"


def test_a_definition_is_not_read_as_markup():
    page = as_markdown()
    assert (
        r"V(D\*, G)" in page and r"μ\_x" in page and "`nn.Identity()`" not in page.replace("`fc = nn.Identity()`", "")
    )
    assert glossary.write(PAGE) == []


def test_the_page_is_written_only_if_it_changes(tmp_path):
    page = tmp_path / "glossary.md"
    assert glossary.write(page) == [page] and glossary.write(page) == []
    assert page.read_text(encoding="utf-8") == as_markdown()


def test_as_text():
    assert as_text("covarience").startswith(
        "no term matches 'covarience'; did you mean 'covariance'?\n\ncovariance (chapter 04)"
    )
    listed = as_text()
    assert all(chapter.name in listed for chapter in CHAPTERS) and "\n02 DCGAN\n  batch normalisation," in listed


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "course_lib.cli", *arguments], capture_output=True, text=True, cwd=ROOT
    )


def test_on_the_command_line():
    found = run("glossary", "latent", "prior")
    assert found.returncode == 0 and "N(0, I)" in found.stdout and "(chapter 01)" in found.stdout
    assert "13 Capstone" in run("glossary").stdout
    found = run("glossary", "xyzzyx")
    assert found.returncode == 2 and found.stderr == "gan-course: no term matches 'xyzzyx'\n"
