"""The classifier for inference: BatchNorm folded into the weights, and nothing else changed."""

import pytest
import torch
from torch import nn

from course_lib import data, zoo
from course_lib.models.classifier import AttributeClassifier, Classifier, folded


def test_the_folded_network_is_the_same_function():
    network = zoo.load("classifier-fashion")[0]
    images = data.to_float(data.load("fashion-mnist", "test").pixels[:500])
    fast = folded(network)
    torch.testing.assert_close(fast.features(images), network.features(images), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(fast.logits(images), network.logits(images), atol=1e-4, rtol=1e-5)
    assert torch.equal(fast.logits(images).argmax(1), network.logits(images).argmax(1))


def test_it_is_a_copy_in_eval_mode_without_batchnorm():
    torch.manual_seed(0)
    network = Classifier().train()
    images = torch.rand(64, 1, 28, 28) * 2 - 1
    network.features(images)  # statistics that are not 0 and 1
    before = {name: value.clone() for name, value in network.state_dict().items()}
    fast = folded(network)
    assert network.training and not fast.training and not any(p.requires_grad for p in fast.parameters())
    assert not any(isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d, nn.Dropout)) for layer in fast.modules())
    kept = images.clone()
    torch.testing.assert_close(fast.features(images), network.eval().features(images), atol=1e-5, rtol=1e-5)
    assert torch.equal(images, kept), "the inplace ReLU must not reach the input"
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    with pytest.raises(ValueError, match="images: expected"):
        fast.features(torch.zeros(1, 1, 32, 32))


def test_attributes_have_logits_of_their_own_side_by_side():
    torch.manual_seed(0)
    network = AttributeClassifier({"hair": 5, "eyes": 2}, width=4, feature_dim=8).eval()
    images = torch.rand(6, 3, 32, 32) * 2 - 1
    logits = network(images)
    parts = network.split(logits)
    assert {name: tuple(part.shape) for name, part in parts.items()} == {"hair": (6, 5), "eyes": (6, 2)}
    assert torch.equal(torch.cat(list(parts.values()), 1), logits) and logits.shape == (6, 7)
    said = network.predict(logits)
    assert said.shape == (6, 2) and torch.equal(said[:, 0], logits[:, :5].argmax(1))
    by_hand = sum(nn.functional.cross_entropy(part, said[:, i]) for i, part in enumerate(parts.values()))
    torch.testing.assert_close(network.loss(logits, said), by_hand)
    assert network.loss(logits, said) < network.loss(logits, 1 - said.clamp(max=1))


def test_what_the_attribute_classifier_sees_does_not_depend_on_the_size():
    torch.manual_seed(0)
    network = AttributeClassifier({"hair": 5}, width=4, feature_dim=8).eval()
    small = torch.rand(2, 3, 32, 32) * 2 - 1
    large = small.repeat_interleave(2, 2).repeat_interleave(2, 3)
    torch.testing.assert_close(network(large), network(small))
    with pytest.raises(ValueError, match=r"images: expected \(N, 3, 32, 32\)"):
        network(torch.zeros(2, 3, 48, 48))
