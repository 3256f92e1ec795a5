"""`gan-course`: train, sample, evaluate, measure, compare, fetch, progress, glossary, doctor, build."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="The course on generative adversarial networks, on the command line.",
)


@app.command()
def train(
    recipe: Annotated[
        str, typer.Argument(help="a name from the list that an unknown name prints, such as dcgan-fashion")
    ],
    out: Annotated[
        Path | None, typer.Option(help="folder of the run; an unfinished one is resumed [default: runs/RECIPE]")
    ] = None,
    change: Annotated[
        list[str] | None,
        typer.Option("--set", help="override a field of TrainConfig: --set steps=1000 --set loss=hinge"),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="time a few steps, say what it will take, write nothing")
    ] = False,
    resume: Annotated[
        bool | None,
        typer.Option(
            "--resume/--fresh",
            help="insist that OUT holds a run already, or that it holds none [default: either will do]",
        ),
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option(help="write the logged rows to this CSV file as the run goes on [default: OUT/log.csv]"),
    ] = None,
    tensorboard: Annotated[
        Path | None, typer.Option(help="write TensorBoard events to this folder, samples every 1000 steps")
    ] = None,
) -> None:
    """Run a recipe to its end, from wherever an earlier call stopped, and write its zoo entry to OUT/zoo.

    On several GPUs or machines: torchrun --nproc-per-node 2 -m course_lib.cli train RECIPE …
    The processes share each batch, the first one writes.
    """
    import os
    import time

    from course_lib import ranks
    from course_lib.runtime import known
    from course_lib.training import CsvLog, TensorBoardLog, TrainConfig, TrainingDiverged, recipes, settings
    from course_lib.training.distributed import RankLost
    from course_lib.zoo import recording

    known("recipe", recipe, recipes.RECIPES)
    run = out or Path("runs", recipe)
    alone = int(os.environ.get("WORLD_SIZE", "1")) == 1
    if not alone and (dry_run or not isinstance(recipes.RECIPES[recipe], recipes.Recipe)):
        raise ValueError(
            "torchrun: expected a GAN's training, got a dry run or another kind of recipe; start one process"
        )
    if isinstance(recipes.RECIPES[recipe], recipes.ClassifierRecipe):
        if change:
            raise ValueError("--set: expected none for a classifier; its settings stand in the recipe")
        if csv or tensorboard:
            raise ValueError(
                "--csv, --tensorboard: expected a GAN's recipe, got a classifier's, which logs no such rows"
            )
        if dry_run or resume:
            raise ValueError(
                "--dry-run, --resume: expected a GAN's recipe, got a classifier's, which is trained in one go"
            )
        started = time.monotonic()
        network, rows = recipes.train_classifier(recipe)
        card = recording.record_classifier(recipe, network, rows, time.monotonic() - started, run / "zoo")
    elif isinstance(recipes.RECIPES[recipe], recipes.AutoencodingRecipe):
        if csv or tensorboard or dry_run or resume is not None:
            raise ValueError(
                "--csv, --tensorboard, --dry-run, --resume: expected a GAN's recipe, got an autoencoder's, which logs "
                "other rows and goes on from whatever stands in OUT"
            )
        from course_lib.training.autoencoding import AutoencodingConfig
        from course_lib.zoo.autoencoders import record_autoencoder

        recipes.train_autoencoder(recipe, run, dict(settings.parse(AutoencodingConfig, text) for text in change or []))
        card = record_autoencoder(recipe, run, run / "zoo")
    else:
        changes = dict(settings.parse(TrainConfig, text) for text in change or [])
        if dry_run:
            return _rehearse(recipe, run, changes)
        logs = [CsvLog(csv or run / "log.csv")]
        logs += [TensorBoardLog(tensorboard, samples_every_steps=1000)] if tensorboard else []
        with ranks.joined():
            first = ranks.rank() == 0
            there = ranks.from_first((run / "last.safetensors").exists)
            if resume is not None and resume != there:
                raise ValueError(
                    f"--resume: expected a run in {run}, found no last.safetensors"
                    if resume
                    else f"--fresh: expected no run in {run}, found one; choose another --out, or delete it"
                )
            try:
                recipes.train(recipe, run, changes, logs)
            except (TrainingDiverged, RankLost) as error:
                if first or isinstance(error, RankLost):
                    typer.echo(f"gan-course: {error}", err=True)
                raise typer.Exit(1) from error
        if not first:
            return
        if changes.get("growth", recipes.RECIPES[recipe].config.growth):
            card = recording.record_grown(recipe, run, run / "zoo", resolution=recipes.RECIPES[recipe].size)
        else:
            card = recording.record_generator(recipe, run, run / "zoo")
    typer.echo(
        f"{card['summary']}\n{card['minutes']} minutes on {card['hardware']['device']}; metrics: {card['metrics']}\n"
        f"written to {run / 'zoo'}"
    )


def _rehearse(recipe: str, run: Path, changes: dict[str, object]) -> None:
    from course_lib import runtime
    from course_lib.training.recipes import RECIPES
    from course_lib.training.rehearsal import rehearse

    found = rehearse(recipe, run, changes)
    config, device = found.config, runtime.environment(runtime.device())["device"]
    epochs = config.steps * config.critic_steps * config.batch_size / found.images
    there = "no run yet" if found.done is None else f"a run at step {found.done:,}, which would go on"
    typer.echo(
        f"{recipe}: {RECIPES[recipe].summary}\n"
        f"generator      {found.parameters[0]:>12,} parameters\n"
        f"discriminator  {found.parameters[1]:>12,} parameters\n"
        f"data           {found.images:>12,} images of {found.shape} ({RECIPES[recipe].data})\n"
        f"steps          {config.steps:>12,} of {config.batch_size} images, {config.critic_steps} of D for each of G: "
        f"{epochs:.1f} epochs\n"
        f"speed          {found.images_per_second:>12,.0f} images/s over {found.timed} steps on {device}\n"
        f"time           {_span(found.seconds_left):>12} ({run}: {there})\n"
        "nothing was written"
    )


def _span(seconds: float) -> str:
    minutes = seconds / 60
    return f"{seconds:.0f} s" if minutes < 2 else f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"


@app.command()
def sample(
    name: Annotated[str, typer.Argument(help="a generator of the zoo")],
    out: Annotated[Path, typer.Option(help="PNG file to write")] = Path("grid.png"),
    count: Annotated[int, typer.Option(min=1)] = 64,
    columns: Annotated[int, typer.Option(min=1)] = 8,
    seed: int = 0,
) -> None:
    """Draw a sheet of images from a trained network."""
    from PIL import Image

    from course_lib import plots, zoo

    generator, _ = zoo.load(name)
    if not hasattr(generator, "latent_dim"):
        raise ValueError(f"name: expected a generator, got {name!r}")
    Image.fromarray(plots.tile(zoo.sample(generator, count, seed), columns)).save(out)
    typer.echo(f"{count} images of {name} (seed {seed}) in {out}")


@app.command()
def evaluate(
    real: Annotated[
        str,
        typer.Argument(help="a folder, an npz file, a data set (fashion-mnist, mnist:train) or a generator of the zoo"),
    ],
    fake: Annotated[str, typer.Argument(help="the same kinds; another set than REAL")],
    protocol: Annotated[
        str, typer.Option(help="whose digits: pytorch-fid, torch-fidelity, clean, stylegan, torchmetrics")
    ] = "pytorch-fid",
    metrics: Annotated[str | None, typer.Option(help="such as fid,kid [default: all]")] = None,
    extractor: Annotated[
        str, typer.Option(help="whose eyes: fid-inception, classifier-fashion, classifier-mnist")
    ] = "fid-inception",
    device: Annotated[str | None, typer.Option(help="cpu, cuda or mps [default: the best there is]")] = None,
    batch_size: Annotated[int | None, typer.Option(help="images at a time")] = None,
    precision: Annotated[str, typer.Option(help="float32 or bfloat16, which moves the FID a little")] = "float32",
    json: Annotated[Path | None, typer.Option(help="write everything to this file")] = None,
) -> None:
    """Measure how far FAKE is from REAL: each metric with its error, N, protocol and network.

    On several GPUs or machines: torchrun --nproc-per-node 2 -m course_lib.cli evaluate REAL FAKE …
    The processes divide the images, the first one prints; the digits are those of one process.
    """
    from json import dumps

    from rich.console import Console
    from rich.table import Table

    from course_lib import ranks
    from course_lib.files import write_atomically
    from course_lib.metrics import evaluate as measure

    with ranks.joined():
        found = measure(
            real,
            fake,
            protocol=protocol,
            metrics=[name.strip() for name in metrics.split(",")] if metrics else None,
            extractor=extractor,
            device=device,
            batch_size=batch_size,
            precision=precision,
        )
        if ranks.rank() > 0:
            return
    table = Table(
        "metric", "value", "±", "better", "N real", "N fake", "protocol", "network", "s", title=f"{real} | {fake}"
    )
    for row in found.rows:
        error = f"({row.error_is})" if row.error is None else f"{row.error:.2g} ({row.error_is})"
        sizes, eyes = (str(row.n_real), str(row.n_fake)), f"{row.extractor} {row.weights[:8]} {row.precision}"
        table.add_row(
            row.metric, f"{row.value:.5g}", error, row.better, *sizes, row.protocol, eyes, f"{row.seconds:.1f}"
        )
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(table)
    for name, why in found.missing.items():
        console.print(f"no {name}: {why}", markup=False, highlight=False)
    for note in found.notes:
        console.print(f"note: {note}", markup=False, highlight=False)
    console.print(f"{found.seconds:.1f} s, {found.network_seconds:.1f} of them for features", highlight=False)
    if json:
        write_atomically(json, dumps(found.as_dict(), indent=1).encode())
        typer.echo(f"written to {json}")


@app.command()
def measure(
    name: Annotated[str, typer.Argument(help="a generator of the zoo")],
    extractor: Annotated[
        str | None, typer.Option(help="fid-inception, or the classifier of its data [default: the classifier]")
    ] = None,
    count: Annotated[
        int, typer.Option(min=2, help="images a side; the Inception sees a few a second on two cores")
    ] = 10_000,
    precision: Annotated[str, typer.Option(help="float32 or bfloat16, which moves the FID a little")] = "float32",
    psi: Annotated[
        list[float] | None, typer.Option(help="measure samples truncated to it too; may be repeated")
    ] = None,
) -> None:
    """Write a generator's metrics to its card, beside those of as many training images (for those who record networks)."""
    from course_lib.zoo.measuring import measure as written

    block = written(name, extractor, count, precision, psi or ())
    for metric, row in block["metrics"].items():
        shown = {
            role: f"{row[role]['value']:.5g}" + ("" if row[role]["error"] is None else f" ± {row[role]['error']:.2g}")
            for role in row
            if role != "protocol"
        }
        samples, floor = shown.pop("samples"), shown.pop("floor")
        typer.echo(f"{metric:16} {samples:>22}   training images {floor:>22}   {row['protocol']}")
        for role, number in shown.items():
            typer.echo(f"{'':16} {number:>22}   {role}")
    typer.echo(
        f"N = {block['n']} a side, {block['precision']}, weights {block['weights'][:8]}; written to the card of {name}"
    )


@app.command()
def fetch(
    names: Annotated[list[str] | None, typer.Argument(help="data to download; --list shows what there is")] = None,
    listed: Annotated[bool, typer.Option("--list", help="show what there is, its size and its state")] = False,
) -> None:
    """Download optional data once, verified, into the cache."""
    from course_lib import assets
    from course_lib.runtime import known

    if not names and not listed:
        raise ValueError(f"NAME: expected some of {', '.join(assets.ASSETS)}, or --list, got none")
    for name in [known("NAME", name, assets.ASSETS) for name in names or []]:
        assets.fetch(name)
        typer.echo(f"{name}: ready in {assets.cached(name, '*')}; to cite: {assets.ASSETS[name].credit}")
    if listed:
        for name, asset in assets.ASSETS.items():
            size = sum(pin.bytes for pin in asset.parts.values())
            typer.echo(f"{name:14} {size / 1e6:5.0f} MB  {assets.state(name):11}  {asset.summary}")


@app.command()
def progress(
    chapter: Annotated[str | None, typer.Argument(help='such as "02"; all chapters without it')] = None,
) -> None:
    """What you have done so far."""
    from course_lib.exercises import progress as so_far

    typer.echo(repr(so_far(chapter)))


@app.command()
def glossary(
    words: Annotated[list[str] | None, typer.Argument(help="a term, or words to look for; all terms without")] = None,
) -> None:
    """What the words of the course mean."""
    from course_lib.glossary import as_text

    typer.echo(as_text(" ".join(words or [])))


@app.command()
def doctor() -> None:
    """What this machine has and lacks."""
    from course_lib.doctor import main

    raise typer.Exit(main())


@app.command()
def compare(
    out: Annotated[Path, typer.Option(help="folder of the runs; finished ones are not repeated")] = Path(
        "runs", "loss-comparison"
    ),
    only: Annotated[str | None, typer.Option(help="grid or fashion: play these runs and record nothing")] = None,
) -> None:
    """Play every loss on the grid and on Fashion-MNIST, or go on with it, and write the record to OUT/zoo."""
    from course_lib.zoo import comparing, comparison

    comparing.run(out, [only] if only else tuple(comparison.WORLDS), typer.echo)
    if not only:
        comparing.record(out, out / "zoo")
        typer.echo(f"written to {out / 'zoo'}")


@app.command()
def build() -> None:
    """Write the notebooks from their text sources, and the glossary's page (for those who edit chapters)."""
    from course_lib import glossary
    from course_lib.notebook import build_all

    for path in [*build_all(), *glossary.write()]:
        typer.echo(f"wrote {path}")


def main() -> None:
    """A wrong argument is a sentence, not a traceback."""
    try:
        app()
    except (ValueError, OSError, ModuleNotFoundError) as error:
        typer.echo(f"gan-course: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
