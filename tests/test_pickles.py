"""Foreign pickles: tensors come out, and nothing of theirs runs."""

import io
import os
import pickle
import zipfile

import numpy as np
import pytest
import torch

from course_lib import pickles


class Evil:
    def __reduce__(self):
        return os.system, ("touch evil",)


def archive(content, data=()):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("a/data.pkl", content)
        for name, values in data:
            made.writestr(f"a/data/{name}", values)
    return file


@pytest.mark.parametrize("protocol", (3, 4, 5))
def test_nested_arrays_come_out_by_their_dotted_names(protocol):
    kernel = np.arange(6, dtype=np.float32).reshape(2, 3)
    content = pickle.dumps({"conv": {"kernel": kernel, "turned": kernel.T}, "steps": 3}, protocol=protocol)
    if protocol == 5:  # numpy writes protocol 5 with a function of its own, which is not in the table
        with pytest.raises(ValueError, match="is not allowed"):
            pickles.from_numpy_pickle(content)
        return
    found = pickles.from_numpy_pickle(content)
    assert list(found) == ["conv.kernel", "conv.turned"]
    assert torch.equal(found["conv.kernel"], torch.arange(6.0).reshape(2, 3))
    assert torch.equal(found["conv.turned"], torch.arange(6.0).reshape(2, 3).T)


def test_what_calls_anything_else_is_refused_and_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    content = pickle.dumps({"a": Evil()})
    for read in (pickles.from_numpy_pickle, lambda c: pickles.from_torchscript(archive(c))):
        with pytest.raises(ValueError, match="pickle: expected tensors, got a call of .*system, which is not allowed"):
            read(content)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"not a pickle", pickle.dumps({"a": 1})[:-2]])
def test_a_damaged_pickle_is_an_error_of_ours(content):
    with pytest.raises(ValueError, match="pickle: expected "):
        pickles.from_numpy_pickle(content)


@pytest.mark.filterwarnings("ignore")  # torch.jit speaks of its successor
def test_the_weights_of_an_archive_are_those_of_torch_jit():
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.ReLU())
    file = io.BytesIO()
    torch.jit.save(torch.jit.script(network.eval()), file)
    with pytest.raises(ValueError, match="got a call of torch.LongStorage"):  # BatchNorm counts its batches in int64
        pickles.from_torchscript(file)
    file = io.BytesIO()
    torch.jit.save(torch.jit.script(network[0]), file)
    found = pickles.from_torchscript(file)
    assert found.keys() == {"weight", "bias"} and torch.equal(found["weight"], network[0].weight)
