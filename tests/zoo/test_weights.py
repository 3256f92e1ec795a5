"""What the zoo keeps of weights is near what was there, and as small as it says."""

import pytest
import torch
from safetensors.torch import save
from torch import nn

from course_lib.zoo import weights


@pytest.fixture
def network():
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Linear(20, 30), nn.BatchNorm1d(30), nn.Unflatten(1, (30, 1, 1)), nn.ConvTranspose2d(30, 8, 4)
    )
    network[0].weight.data[3] = 0  # a dead row has no scale of its own
    network[3].weight.data[5] *= 1e-4  # and a quiet one must not be rounded away by the loud ones
    return network


def test_eight_bits_move_a_weight_by_half_a_step_of_its_row_at_most(network):
    before = network.state_dict()
    after = weights.restored(weights.reduced(before, "int8"))
    assert after.keys() == before.keys()
    for name in ("0.weight", "3.weight"):
        rows = before[name].flatten(1)
        step = rows.abs().amax(1, keepdim=True) / 127
        assert ((after[name].flatten(1) - rows).abs() <= step * 0.5001).all()
        assert after[name].dtype == torch.float32
    assert (after["0.weight"][3] == 0).all() and after["3.weight"][5].abs().max() > 0


@pytest.mark.parametrize(("kind", "bytes_a_weight"), [("float32", 4), ("float16", 2), ("int8", 1)])
def test_kinds_take_their_bytes_and_load(network, kind, bytes_a_weight):
    kept = weights.reduced(network.state_dict(), kind)
    numbers = sum(each.numel() for name, each in network.state_dict().items() if each.ndim > 1)
    largest = sum(each.numel() * each.element_size() for each in kept.values() if each.ndim > 1)
    assert largest == numbers * bytes_a_weight and len(save(kept)) > largest
    network.load_state_dict(weights.restored(kept))
    assert network[1].num_batches_tracked.dtype == torch.int64


def test_an_unknown_kind_is_answered(network):
    with pytest.raises(ValueError, match="weights: .*did you mean 'float16'"):
        weights.reduced(network.state_dict(), "float_16")
