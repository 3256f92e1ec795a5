"""What a generator's card says about its samples: every metric by two pairs of eyes, beside the same metrics of real images."""

from __future__ import annotations

from collections.abc import Sequence

from course_lib import data, metrics, zoo
from course_lib.metrics import features, protocols
from course_lib.runtime import known
from course_lib.zoo.avatars import expect_styles
from course_lib.zoo.judging import JUDGES
from course_lib.zoo.recording import round_to, write_card

PROTOCOL = "torch-fidelity"  # defines all of these in one look at the images
BY_CLASSIFIER = ("fid", "fid_infinity", "kid", "inception_score", "precision_recall", "density_coverage")
INCEPTION = "fid-inception"
BY_INCEPTION = ("fid",)  # by the digits that papers on small images quote
INCEPTION_PROTOCOL = "pytorch-fid"


def measure(
    name: str,
    extractor: str | None = None,
    count: int = 10_000,
    precision: str = "float32",
    psis: Sequence[float] = (),
) -> dict:
    """Measure a generator of the zoo, write the result to its card under "measured", and return it.

    `count` samples (seed 0, as `gan-course evaluate` draws them: the first of 10,000, or of `count` if that is more)
    and `count` training images, which are the floor, are each compared with the first `count` test images. What an
    extractor measured before is kept, unless it was of other weights of this generator. Features of real images stay
    in the cache, and a second call finds there whatever an interrupted one had finished.

    extractor: "fid-inception", by the protocol of pytorch-fid, or the classifier of the generator's data, which is what
               None stands for, by that of torch-fidelity
    precision: "bfloat16" is twice as fast on some processors and moves the FID by about 1 %; the card says which it was
    psis:      of a generator with styles: samples truncated so far are measured too
    returns:   {"protocol", "precision", "device", "weights" (of the extractor), "network" (of the generator), "n",
               "real", "floor" and "samples" (which images), "metrics": {metric: {"samples", "floor" and, for each of
               psis, "psi = 0.5": each value, error, error_is}}}
    raises:    ValueError for another network or extractor, or psis of a generator without styles; FileNotFoundError,
               naming the command, for missing weights
    """
    card = zoo.card(name)
    dataset = card["data"]["name"]
    if "snapshots" not in card:
        raise ValueError(f"name: expected a generator, got {name!r}")
    generator = zoo.load(name)[0]
    expect_styles(generator, name, psis)
    extractor = known("extractor", extractor or JUDGES[dataset], (JUDGES[dataset], INCEPTION))
    protocol, asked = (INCEPTION_PROTOCOL, BY_INCEPTION) if extractor == INCEPTION else (PROTOCOL, BY_CLASSIFIER)
    followed = protocols.protocol(protocol)
    eyes = features.extractor(extractor, resize=followed.resize, scaling=followed.scaling, precision=precision)
    sources = {"real": dataset, "floor": f"{dataset}:train", "samples": name}
    pixels = {}
    for role, source in sources.items():
        images = metrics.open_images(source, max(count, 10_000))[0]
        if len(images) < count:
            raise ValueError(f"count: expected at most the {len(images)} images of {source}, got {count}")
        pixels[role] = images[:count].contiguous()
    for psi in psis:
        drawn = zoo.sample(generator, max(count, 10_000), seed=0, psi=psi)[:count]
        pixels[f"psi = {psi:g}"] = data.to_uint8(drawn)
    if eyes.head is None:
        asked = tuple(metric for metric in asked if metric != "inception_score")
    table: dict[str, dict] = {}
    for role in (role for role in pixels if role != "real"):
        found = metrics.evaluate(pixels["real"], pixels[role], protocol=protocol, metrics=asked, extractor=eyes)
        for row in found.rows:
            numbers = {"value": row.value, "error": row.error}
            entry = {key: round_to(value, 5) for key, value in numbers.items()} | {"error_is": row.error_is}
            table.setdefault(row.metric, {"protocol": row.protocol})[role] = entry
        if found.missing:
            raise ValueError(f"count: expected enough images for every metric, got {count}: {found.missing}")
    block = {
        "protocol": protocol,
        "precision": eyes.precision,
        "device": eyes.device,
        "weights": eyes.weights,
        "network": card["sha256"]["network.safetensors"],
        "n": count,
        "real": f"the first {count} test images",
        "samples": f"the first {count} of {max(count, 10_000)} samples, seed 0",
        "floor": f"the first {count} training images",
        "metrics": table,
    }
    card = zoo.card(name)  # hours may have passed
    kept = {key: old for key, old in card.get("measured", {}).items() if old["network"] == block["network"]}
    write_card(zoo.FOLDER / name, card | {"measured": kept | {extractor: block}})
    return block
