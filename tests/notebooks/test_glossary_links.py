"""A chapter links each of its terms to the glossary where it first uses it, and no link leads nowhere."""

import re

import pytest

from course_lib import glossary
from course_lib.notebook import build, sources

LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]*)\)")
TO_THE_GLOSSARY = "../docs/glossary.md#"
NOT_PROSE = re.compile(r"```.*?```|\$\$.*?\$\$|\$[^$]+\$|`[^`]+`|^#+ .*?$|<[^>]+>", re.S | re.M)
ANCHORS = {glossary.anchor(name) for name in glossary.TERMS}


def pattern(name):
    """A term in running text: any case unless it is an abbreviation, singular or plural, over a line's end too."""
    words = re.sub(r"(\\ |\\-)+", r"[-–\\s]+", re.escape(name))
    return rf"(?:{words})(?:s|es)?" if name.isupper() else rf"(?i:(?:{words})(?:s|es)?)"


NAMES = sorted(
    ((each, term) for term in glossary.TERMS for each in glossary.names(term)), key=lambda pair: -len(pair[0])
)
OCCURRENCE = re.compile(r"(?<![\w-])(?:" + "|".join(f"({pattern(each)})" for each, _ in NAMES) + r")(?!\w)")


def first_uses(texts):
    """{term: (the words, where its link leads or None)} in running text; in a longer term the shorter is not used."""
    found = {}
    for text in texts:
        prose = NOT_PROSE.sub(lambda match: " " * len(match[0]), text.replace("*", ""))  # emphasis is no word boundary
        links = [(match.start(1), match.end(1), match[2]) for match in LINK.finditer(prose)]
        prose = LINK.sub(  # the text of a link elsewhere is somebody's title, and no address is prose
            lambda match: (
                f" {match[1]} " + " " * (len(match[2]) + 2)
                if match[2].startswith(TO_THE_GLOSSARY)
                else " " * len(match[0])
            ),
            prose,
        )
        for match in OCCURRENCE.finditer(prose):
            term = NAMES[match.lastindex - 1][1]
            target = next((to for start, end, to in links if start <= match.start() and match.end() <= end), None)
            found.setdefault(term, (" ".join(match[0].split()), target))
    return found


def words(source):
    return [cell.source for cell in build(source).cells if cell.cell_type == "markdown"]


@pytest.mark.parametrize("source", sources(), ids=lambda path: path.stem)
def test_a_chapters_own_terms_are_links_at_their_first_use(source):
    uses, number = first_uses(words(source)), source.stem.split("_")[0]
    missing = [
        f"[{used}]({TO_THE_GLOSSARY}{glossary.anchor(term)})"
        for term, (used, target) in uses.items()
        if glossary.TERMS[term].chapter == number and target != TO_THE_GLOSSARY + glossary.anchor(term)
    ]
    assert not missing, f"{source.name}: write these at their first use outside headings and code: {', '.join(missing)}"


@pytest.mark.parametrize("source", sources(), ids=lambda path: path.stem)
def test_links_to_the_glossary_lead_to_a_term(source):
    for target in re.findall(r"\]\(([^)]*glossary\.md[^)]*)\)", source.read_text(encoding="utf-8")):
        assert target.startswith(TO_THE_GLOSSARY) and target.removeprefix(TO_THE_GLOSSARY) in ANCHORS, target


def test_what_counts_as_a_first_use():
    to = TO_THE_GLOSSARY
    uses = first_uses(
        [
            "# Logits and `logit`\n[Mode collapse](https://a.b) $\\text{generator}$ is about mean fields",
            f"A **[latent\nvector]({to}latent-vector)**, a LOGIT, [critics]({to}generator), a *non*-saturating loss",
            f"a [logit]({to}logit), it is IS",
        ]
    )
    assert uses == {
        "latent vector": ("latent vector", f"{to}latent-vector"),
        "logit": ("LOGIT", None),  # a link at the second use is too late
        "critic": ("critics", f"{to}generator"),  # and the wrong one
        "non-saturating loss": ("non-saturating loss", None),
        "Inception Score": ("IS", None),  # but "it is" is no abbreviation
    }
