"""Draws the README's picture from the zoo: `python docs/draw_front_page.py` writes docs/front-light.png and -dark.png."""

from pathlib import Path

import torch

from course_lib import data, figures, plots, zoo


def front_page() -> figures.Figure:
    """Five sheets: the same 25 latents at four moments of training, and real images beside them."""
    recorded, card = zoo.snapshots("dcgan-fashion"), zoo.card("dcgan-fashion")
    wanted = [0, 600, 3000, recorded.steps[-1]]
    moments = [
        min(range(len(recorded.steps)), key=lambda i, step=step: abs(recorded.steps[i] - step)) for step in wanted
    ]
    sheets, said = {}, []
    for moment in moments:
        step, distance = recorded.steps[moment], card["snapshots"][moment]["fid"]
        title = "untrained" if step == 0 else f"step {step:,}: distance {distance:.1f}"
        sheets[title] = recorded.images[moment][:25]
        said.append(f"{title} ({distance:.1f})" if step == 0 else title)
    test = data.load("fashion-mnist", "test").padded(32)
    sheets["real photographs"] = test.pixels[torch.arange(25)]
    alt = (
        "Five sheets of 25 small grey pictures of clothes. The first four are drawn by one DCGAN from the same latents: "
        + "; ".join(said)
        + f" (Fréchet distance of the course's classifier features, N = {card['snapshots'][-1]['n']:,}). The fifth shows real photographs."
    )
    return plots.image_grids(sheets, columns=5, panel=2.5, alt=alt)


if __name__ == "__main__":
    for theme in ("light", "dark"):
        front_page().save(Path(__file__).with_name(f"front-{theme}.png"), theme)
    print(front_page().alt)
