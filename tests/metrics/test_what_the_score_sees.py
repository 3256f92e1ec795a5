"""Chapter 05's claims about the Inception Score, on real images and by the course's own classifier."""

import math

import pytest
import torch

from course_lib import data, metrics, zoo
from course_lib.exercises.ch05.score import inception_score, one_of_each
from course_lib.exercises.ch05.splits import split_scores
from course_lib.zoo.judging import classify


def answers(images):
    rows = classify(images)[1].double()
    return rows / rows.sum(1, keepdim=True)


@pytest.fixture(scope="module")
def test_set():
    return data.load("fashion-mnist", "test")


@pytest.fixture(scope="module")
def photographs(test_set):
    return answers(test_set.pixels)


def score(rows, splits=1):
    return metrics.inception_score(probabilities=rows, splits=splits).mean


def test_the_chapters_functions_and_the_librarys_agree(photographs):
    rows = photographs[:1003]
    assert inception_score(rows).item() == pytest.approx(score(rows), abs=1e-9)
    for splits in (1, 7, 10):
        mine, library = split_scores(rows, splits), metrics.inception_score(probabilities=rows, splits=splits)
        assert (mine.mean().item(), mine.std(correction=0).item()) == pytest.approx(tuple(library), abs=1e-9)


def test_the_log_score_of_two_images_is_their_js_divergence(photographs):
    for one, other in photographs[:40].reshape(20, 2, 10):
        pair = torch.stack([one, other])
        assert math.log(score(pair)) == pytest.approx(metrics.js_divergence(one, other).item(), abs=1e-9)


def test_ten_photographs_beat_all_ten_thousand(photographs):
    ten = photographs[one_of_each(photographs)]
    assert score(ten) > 9.99 and 8 < score(photographs) < 9
    assert score(ten, splits=10) == pytest.approx(1.0, abs=1e-12)


def test_noise_fitted_to_the_classifier_beats_photographs(photographs):
    judge = zoo.load("classifier-fashion")[0].cpu()
    start = 0.3 * torch.randn(20, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    noise, wanted = start.clone().requires_grad_(True), torch.arange(20) % 10
    optimizer = torch.optim.Adam([noise], lr=0.03)
    for _ in range(40):
        loss = torch.nn.functional.cross_entropy(judge(noise.tanh()), wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert score(answers(noise.detach().tanh())) > score(photographs) > 5 > score(answers(start.tanh()))


def test_with_the_real_marginal_total_collapse_would_score_k(photographs, test_set):
    bags = photographs[(test_set.labels == 8) & (metrics.entropy(photographs) < 0.01)]
    even = torch.full((10,), 0.1, dtype=torch.float64).expand_as(bags)
    assert metrics.kl_divergence(bags, even).mean().exp() > 9.9 and score(bags) < 1.01


def test_sorting_by_class_ruins_contiguous_splits(photographs, test_set):
    order = test_set.labels.argsort(stable=True)
    assert score(photographs, splits=10) > 8 and score(photographs[order], splits=10) < 2


def test_ten_images_a_class_are_noticed_by_recall_and_not_by_the_score(photographs, test_set):
    features = classify(test_set.pixels[:4000])[0]
    few = torch.cat([torch.nonzero(test_set.labels[2000:4000] == each)[:10, 0] for each in range(10)]).repeat(20)
    all_of_them, repeated = 2000 + torch.arange(2000), 2000 + few
    scores = [score(photographs[rows]) for rows in (all_of_them, repeated)]
    recalls = [
        metrics.precision_recall(real=features[:2000], fake=features[rows]).recall for rows in (all_of_them, repeated)
    ]
    assert abs(scores[0] - scores[1]) < 0.5 and recalls[0] > 0.8 and recalls[1] < 0.05
