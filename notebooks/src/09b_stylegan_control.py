# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 09b · StyleGAN, control: which layer decides what?
#
# In StyleGAN nothing tells two images apart but the styles of their layers, and a little noise. So each can be exchanged alone: the noise, the styles of some layers, or the distance of a style from the average one. What
# an exchange does to an avatar need not be admired, it can be counted: the course's classifier names nine attributes of every image.
#
# **You will** write the injection of noise, [style mixing](../docs/glossary.md#style-mixing), the [mean of w](../docs/glossary.md#mean-of-w) and truncation by layers · **you will know** what noise is for, which attributes follow which
# layers, and what ψ costs · **you need** chapters 07 and 09 · **time**: three quarters of an hour, of which your machine computes half a minute.

# %% id="imports"
import torch
from course_lib import data, latent, plots, runtime, widgets, zoo
from course_lib.exercises import (
    add_to_report,
    exercise,
    explain,
    predict,
    progress,
    quiz,
    reveal,
    running_on,
)
from course_lib.zoo import avatars as records
from course_lib.zoo import judging

# %% id="knobs"
# Knobs: the network, and the numbers of latents that a measurement takes.
name = "style-avatars-32"
count = runtime.by_profile(ci=120, laptop=500, gpu=2000)
curve_count = runtime.by_profile(ci=150, laptop=500, gpu=500)  # of avatars and of samples at each ψ
curve_draws = runtime.by_profile(ci=2, laptop=3, gpu=4)
psis = [0.0, 0.25, 0.5, 0.75, 1.0, 1.25]
latents_for_mean = runtime.by_profile(ci=20_000, laptop=50_000, gpu=50_000)

# %% [markdown]
# ## Two questions on what you know already

# %%
quiz("09b.recall")

# %% [markdown]
# ## The network

# %% id="network"
generator, card = zoo.load(name)
depth, side = generator.synthesis.depth, card["resolution"]
device = runtime.device()
z = torch.randn(2, count, generator.latent_dim, generator=runtime.keyed_generator("cpu", 9, "b")).to(device)


@torch.inference_mode()
def draw(w, noise=None, batch=60):
    """Images on the CPU, (N, 3, side, side) in [−1, 1]. w: (N, w_dim) or (N, depth, w_dim); noise: one map a layer, or None"""
    return torch.cat(
        [generator.synthesis(rows, noise).clamp(-1, 1).float().cpu() for rows in w.split(batch)]
    )


w_first, w_second = (generator.mapping(each) for each in z)
first, second = draw(w_first), draw(w_second)
seen_first, seen_second = judging.attributes_of(first), judging.attributes_of(second)
ATTRIBUTES = list(data.avatars.ATTRIBUTES)
differing = (seen_first != seen_second).double().mean(0)
assert first.shape == (count, 3, side, side) and differing.mean() > 0.2
plots.image_grids(
    {
        f"{side}×{side}, after {card['kimg']:,.0f} thousand images": first[:40],
        "avatars": data.load("avatars-small-32").pixels[:40],
    },
    alt=f"40 samples of the network {name} beside 40 avatars, both uncurated. Two of its samples differ in {differing.sum():.1f} of 9 attributes on average, most often in "
    f"{ATTRIBUTES[int(differing.argmax())]} ({differing.max():.0%}).",
    title=f"Two latents give images that differ in {differing.sum():.1f} of 9 attributes on average",
)

# %% [markdown]
# The card says what this network reaches. It is a small one, and what follows is measured on it as it is; a better one separates better.
#
# Layers 0 and 1 work at 4×4, 2 and 3 at 8×8, and so on. The paper speaks of [coarse, middle and fine layers](../docs/glossary.md#coarse-middle-and-fine-layers), for 18 of them up to 1,024×1,024; here there are fewer.
#
# ## Noise
#
# Every layer adds a map of normal noise, *one* for all its channels, each channel scaling it by an amount of its own that is learned and begins at 0 ([stochastic variation](../docs/glossary.md#stochastic-variation)). Where freckles or strands of hair sit is nothing that $w$ should have to
# spell out.
#
# $$x_{n,c} \leftarrow x_{n,c} + a_c\, \varepsilon_n, \qquad \varepsilon_n \sim \mathcal N(0, I) \text{ of shape } H \times W$$


# %%
@exercise("09b.add_noise")
def add_noise(x, noise, amount):
    """One map of noise an image, added to every channel by that channel's amount.

    x: (N, C, H, W);  noise: (N or 1, 1, H, W);  amount: (C,), may be negative.  Returns (N, C, H, W)."""
    ...  # your code


# %% id="noise-matches"
layer = generator.synthesis.layers[3]
maps = torch.randn(2, len(layer.bias), 8, 8, generator=runtime.keyed_generator("cpu", 9, "maps")).to(device)
noise = torch.randn(2, 1, 8, 8, generator=runtime.keyed_generator("cpu", 9, "noise")).to(device)
torch.testing.assert_close(add_noise(maps, noise, layer.noise.amount), layer.noise(maps, noise))
amounts = [each.noise.amount.abs().mean().item() for each in generator.synthesis.layers]
plots.bars(
    {
        f"{number}: {4 * 2 ** (number // 2)}×{4 * 2 ** (number // 2)}": value
        for number, value in enumerate(amounts)
    },
    title=f"The network has learned to add most noise in layer {amounts.index(max(amounts))}, least in layer {amounts.index(min(amounts))}",
    ylabel="mean size of the amounts",
)

# %% [markdown]
# **Predict.** Draw each of these latents twice with other noise, and compare: how large is the deviation of a pixel over noise, against its deviation over latents?

# %%
predict("09b.noise_share", ["about as large", "about half", "less than a fifth"])

# %% id="noise-share"
some = w_first[:40]
with torch.inference_mode():
    by_noise = torch.stack(
        [
            draw(
                some, generator.synthesis.noise(1, torch.Generator(device).manual_seed(seed))
            )  # one draw, the same for all 40
            for seed in range(8)
        ]
    )  # (draws, latents, 3, side, side)
over_noise, over_latents = by_noise.std(0).mean().item(), by_noise.std(1).mean().item()
changed = (judging.attributes_of(by_noise[1]) != judging.attributes_of(by_noise[0])).double().mean().item()
other_latent = differing.mean().item()
ratio = over_noise / over_latents
where = by_noise.std(0).mean((0, 1))
plots.image_grids(
    {
        "one draw of the noise": by_noise[0, :8],
        "another": by_noise[1, :8],
        "deviation over 8, four times as bright": (4 * by_noise[:, :8].std(0).mean(1, keepdim=True) - 1)
        .clamp(-1, 1)
        .expand(-1, 3, -1, -1),
    },
    columns=4,
    apart=0.06,
    alt=f"Eight latents with two draws of noise, nearly the same images, and where they differ. Deviation of a pixel over noise {over_noise:.3f}, over latents {over_latents:.3f}.",
    title=f"Deviation of a pixel over noise {over_noise:.3f}, over latents {over_latents:.3f}",
)

# %% id="reveal-noise-share"
reveal(
    "09b.noise_share",
    "less than a fifth" if ratio < 0.2 else "about half" if ratio < 0.75 else "about as large",
    f"{over_noise:.3f} against {over_latents:.3f}, a share of {ratio:.2f}. Other noise changes {changed:.1%} of the attributes that the classifier names (some of that is the classifier on the edge), another latent {other_latent:.0%}.",
)

# %% [markdown]
# ## Noise, layer by layer
#
# Left the image without noise, in the middle a draw of it in the chosen layers, right the deviation of each pixel over eight draws. Switch layers on one by one: early noise moves larger parts, late noise single pixels.

# %% id="noise-widget"
noise_layers = widgets.noise_layers(generator)
noise_layers

# %% [markdown]
# ## Style mixing
#
# Give the layers below a *crossover* the style of one latent, the others that of a second. In training this happens to many images (nine of ten in the paper, one of five here: mixing regularisation), so that layers do not rely on what their neighbours were told.


# %%
@exercise("09b.mix_styles")
def mix_styles(coarse, fine, crossover, layers):
    """One style a layer: of `coarse` below the crossover, of `fine` from there on, each whole.

    coarse, fine: (N, w_dim);  crossover: a number or an int tensor (N,), 0 (all of fine) to layers (all of coarse).
    Returns (N, layers, w_dim)."""
    ...  # your code


# %% id="mixing-exact"
assert generator.mixing == 0.2  # the share of images that were mixed in training
with torch.inference_mode():
    seen = {}
    hooks = [
        each.adain.style.register_forward_hook(
            lambda _, __, out, number=number: seen.__setitem__(number, out)
        )
        for number, each in enumerate(generator.synthesis.layers)
    ]
    told = []
    for coarse in (w_first[:4], w_first[4:8]):
        generator.synthesis(mix_styles(coarse, w_second[:4], 3, depth))
        told.append(dict(seen))
    for hook in hooks:
        hook.remove()
untouched = [torch.equal(told[0][number], told[1][number]) for number in range(depth)]
print(
    "layers whose style does not change with the first latent, crossover 3:",
    [n for n in range(depth) if untouched[n]],
)
assert untouched == [number >= 3 for number in range(depth)]

# %% [markdown]
# From the crossover on, styles depend on the second latent alone, to the last bit. (The *maps* there still come from below: that is what is being mixed.) Move the crossover:

# %% id="mixer-widget"
mixer = widgets.style_mixer(generator)
mixer

# %% [markdown]
# **Predict.** Skin colour and the kind of hair, as the classifier sees them. Half-way, with the crossover at the middle layer, which of the two follows the *second* latent (the later layers) more often?

# %%
predict("09b.which_follows", ["the skin", "the hair", "about equally"])

# %% [markdown]
# For every crossover and every attribute: among the pairs whose parents differ in it, the share of mixed images that have the *second* parent's. With the crossover at 0 everything is the second's, at the last layer nothing is.

# %% id="mixing-table"
shares = torch.zeros(depth + 1, len(ATTRIBUTES))
neither = torch.zeros(depth + 1, len(ATTRIBUTES))
for crossover in range(depth + 1):
    mixed = judging.attributes_of(draw(mix_styles(w_first, w_second, crossover, depth)))
    for column in range(len(ATTRIBUTES)):
        apart = seen_first[:, column] != seen_second[:, column]
        shares[crossover, column] = (mixed[apart, column] == seen_second[apart, column]).double().mean()
        neither[crossover, column] = (
            (
                (mixed[apart, column] != seen_second[apart, column])
                & (mixed[apart, column] != seen_first[apart, column])
            )
            .double()
            .mean()
        )
assert (shares[0] == 1).all() and (shares[-1] == 0).all()
print(f"share with the second parent's value, N = {count} pairs      crossover")
print(f"{'':14}" + "".join(f"{crossover:>6}" for crossover in range(depth + 1)))
for column, attribute in enumerate(ATTRIBUTES):
    print(f"{attribute:14}" + "".join(f"{value:6.2f}" for value in shares[:, column].tolist()))
middle_of = {  # the crossover at which half of the images have lost the second parent's value
    attribute: (shares[:, column] >= 0.5).sum().item() for column, attribute in enumerate(ATTRIBUTES)
}
latest, earliest = max(middle_of, key=middle_of.get), min(middle_of, key=middle_of.get)
chosen = [earliest, latest] + [each for each in ("skin", "hair") if each not in (earliest, latest)]
plots.curves(
    list(range(depth + 1)),
    {each: shares[:, ATTRIBUTES.index(each)].tolist() for each in chosen[:4]},
    title=f"Of all attributes {earliest} is given up first, {latest} last",
    xlabel="crossover: layers below it are the first parent's",
    ylabel="share with the second parent's value",
)

# %% id="reveal-which-follows"
half = depth // 2
skin, hair = (shares[half, ATTRIBUTES.index(each)].item() for each in ("skin", "hair"))
reveal(
    "09b.which_follows",
    "about equally" if abs(skin - hair) < 0.08 else "the skin" if skin > hair else "the hair",
    f"At crossover {half} of {depth} the mixed image has the second parent's skin in {skin:.0%} of the pairs that differ in it, and its hair in {hair:.0%}. Share with *neither* parent's value: "
    f"{neither[half].mean():.0%} on average over the attributes; a mix is not a choice between two.",
)

# %% [markdown]
# The record of the same measurement on more pairs:

# %% id="mixing-record"
recorded = records.mixing(name)
print(f"share with the second parent's value, N = {recorded['count']:,} pairs, recorded")
print(f"{'':14}" + "".join(f"{row['crossover']:>6}" for row in recorded["rows"]))
for attribute in ATTRIBUTES:
    print(f"{attribute:14}" + "".join(f"{row['second'][attribute]:6.2f}" for row in recorded["rows"]))
assert recorded["layers"] == depth
far = max(
    abs(row["second"][attribute] - shares[row["crossover"], ATTRIBUTES.index(attribute)].item())
    for row in recorded["rows"]
    for attribute in ATTRIBUTES
)
print(f"largest difference between record and this run: {far:.2f}")

# %% [markdown]
# ## The middle of W
#
# Truncation needs a centre: the mean of $w$ over latents. StyleGAN keeps a running mean while it trains; here you compute it from the finished network.


# %%
@exercise("09b.mean_of_w")
def mean_of_w(mapping, z, block=1000):
    """The mean of mapping(z) over all latents, without a graph.

    mapping: (N, d) → (N, w_dim), to be given at most `block` latents at a time;  z: (N, d).  Returns (w_dim,)."""
    ...  # your code


# %% [markdown]
# **Predict.** The mean of $z$ is 0. How far is mapping(0) from the mean of $w$, compared with how far an ordinary $w$ is?

# %%
predict("09b.mapped_zero", ["hardly at all", "about half as far", "as far or farther"])

# %% id="mean-of-w"
many = torch.randn(
    latents_for_mean, generator.latent_dim, generator=runtime.keyed_generator("cpu", 9, "mean")
).to(device)
w_mean = mean_of_w(generator.mapping, many)
with torch.inference_mode():
    typical = (w_first - w_mean).norm(dim=1).mean().item()
    of_zero = (generator.mapping(torch.zeros_like(many[:1]))[0] - w_mean).norm().item()
running = (generator.w_mean - w_mean).norm().item()
print(
    f"distance from the mean of w: an ordinary w {typical:.2f}, mapping(0) {of_zero:.2f}, the running mean of training {running:.2f}"
)
assert running < 0.5 * typical
centres = torch.stack([w_mean, generator.mapping(torch.zeros_like(many[:1]))[0]])
faces = draw(centres)
plots.image_grids(
    {"the mean of w": faces[:1], "mapping(0)": faces[1:], "eight ordinary ones": first[:8]},
    columns=4,
    apart=0.1,
    panel=3.0,
    alt=f"The image of the mean style, the image of mapping(0), {of_zero:.2f} away from it, and eight ordinary images, {typical:.2f} away on average.",
    title=f"mapping(0) lies {of_zero / typical:.1f} times as far from the mean as an ordinary w",
)

# %% id="reveal-mapped-zero"
share = of_zero / typical
reveal(
    "09b.mapped_zero",
    "hardly at all" if share < 0.25 else "about half as far" if share < 0.75 else "as far or farther",
    f"{share:.2f} times as far. Pixel norm puts every z on a sphere and leaves 0 in its middle, where no latent ever is; mapping(0) shows the biases of eight layers.",
)

# %% [markdown]
# ## Truncation by layers
#
# $$w' = \bar w + \psi\,(w - \bar w)$$
#
# for the layers below a cutoff; fine layers may keep their $w$.


# %%
@exercise("09b.truncate")
def truncate(w, w_mean, psi, *, layers, cutoff=None):
    """One style a layer, those below the cutoff ψ times as far from the mean.

    w: (N, w_dim);  w_mean: (w_dim,);  psi: a number, also above 1;  cutoff: layers from it on keep w; None: all are
    truncated.  Returns (N, layers, w_dim)."""
    ...  # your code


# %% id="truncated-faces"
shown = {psi: draw(truncate(w_first[:8], generator.w_mean, psi, layers=depth)) for psi in psis}
torch.testing.assert_close(
    shown[0.5], generator(z[0, :8], psi=0.5).float().cpu(), atol=1e-3, rtol=0
)  # the library's
spreads = [shown[psi].std(0).mean().item() for psi in psis]
assert spreads[0] < 1e-4 and all(a < b for a, b in zip(spreads, spreads[1:5]))
plots.image_grids(
    {f"ψ = {psi:g}: {spread:.2f}": shown[psi] for psi, spread in zip(psis, spreads)},
    columns=2,
    panel=1.7,
    apart=0.1,
    alt="; ".join(
        f"ψ = {psi:g}: deviation between the eight images {spread:.2f}"
        for psi, spread in zip(psis, spreads)
    ),
    title="Eight latents from the mean style outwards: deviation of a pixel between images",
)

# %% [markdown]
# Diversity falls to nothing as ψ falls; that is arithmetic. What fidelity does is not. Precision, recall and the entropy of the attributes (nats, summed over the nine), with the features and eyes of the course's classifier, against
# avatars that were not trained on:

# %% id="curve"
curve = records.measure_curve(
    name, psis, thresholds=(), count=curve_count, draws=curve_draws, dataset="avatars-small-32"
)
rows, entropy, real = curve["psi"], curve["real"]["attribute_entropy"], curve["real"]
by_psi = {row["psi"]: row for row in rows}
best, nearest = max(rows, key=lambda row: row["precision"]), min(rows, key=lambda row: row["fid"])
print(
    f"N = {curve['count']:,}, k = {curve['k']}, mean of {curve['draws']} draws ± half a 95 % interval over them; "
    f"real avatars: precision {real['precision']:.3f}, recall {real['recall']:.3f}, distance {real['fid']:.2f}, entropy {entropy:.2f}"
)
print(f"{'ψ':>5} {'precision':>17} {'recall':>17} {'Fréchet distance':>19} {'attribute entropy':>19}")
for row in rows:
    print(
        f"{row['psi']:5.2f}"
        + "".join(
            f"{row[each]:{width}.{digits}f} ± {row[f'{each}_half']:.{digits}f}"
            for each, width, digits in (
                ("precision", 10, 3),
                ("recall", 10, 3),
                ("fid", 12, 2),
                ("attribute_entropy", 12, 2),
            )
        )
    )
assert by_psi[0.0]["recall"] < by_psi[1.0]["recall"]
assert (
    by_psi[0.0]["attribute_entropy"] < by_psi[0.5]["attribute_entropy"] < by_psi[1.0]["attribute_entropy"]
)
plots.curves(
    [row["psi"] for row in rows],
    {
        "precision": [row["precision"] for row in rows],
        "recall": [row["recall"] for row in rows],
        "entropy / that of real ones": [row["attribute_entropy"] / entropy for row in rows],
    },
    title=f"Precision {by_psi[0.0]['precision']:.2f} at ψ = 0, {by_psi[0.5]['precision']:.2f} at ½, {by_psi[1.0]['precision']:.2f} at 1; recall {by_psi[1.0]['recall']:.2f} at 1",
    xlabel=f"ψ (N = {curve['count']:,}, k = {curve['k']})",
    ylabel="share",
    legend_beside=True,
)

# %% [markdown]
# The same with more samples, as recorded with the network:

# %% id="curve-record"
recorded = records.curve(name)
print(
    f"N = {recorded['count']:,}, k = {recorded['k']}, {recorded['draws']} draws; real avatars: precision {recorded['real']['precision']:.3f}, "
    f"recall {recorded['real']['recall']:.3f}, distance {recorded['real']['fid']:.2f}, entropy {recorded['real']['attribute_entropy']:.2f}"
)
for row in recorded["psi"]:
    print(
        f"ψ = {row['psi']:4.2f}   precision {row['precision']:.3f} ± {row['precision_half']:.3f}   recall {row['recall']:.3f} ± {row['recall_half']:.3f}   "
        f"distance {row['fid']:6.2f} ± {row['fid_half']:.2f}   entropy {row['attribute_entropy']:5.2f} ± {row['attribute_entropy_half']:.2f}"
    )
ends = recorded["psi"][0], recorded["psi"][-1]
assert ends[0]["psi"] < ends[1]["psi"] and ends[0]["recall"] <= ends[1]["recall"]
assert ends[0]["attribute_entropy"] < ends[1]["attribute_entropy"]
distances = [row["fid"] for row in recorded["psi"]]
assert distances == sorted(distances, reverse=True)  # down to ψ = 1
precisions, recalls = (
    [row[measure] for row in recorded["psi"] if row["psi"] >= 0.5] for measure in ("precision", "recall")
)
assert precisions == sorted(precisions, reverse=True) and recalls == sorted(recalls)
block = card["measured"]["fid-inception"]
by_inception = block["metrics"]["fid"]
told = {"ψ = 0.5": "psi = 0.5", "ψ = 0.7": "psi = 0.7", "ψ = 1": "samples", "avatars": "floor"}
print(
    f"FID by the published Inception ({block['protocol']}, {block['precision']}, N = {block['n']:,} a side): "
    + ", ".join(
        f"{label} {by_inception[key]['value']:.1f} ± {by_inception[key]['error']:.1f}"
        for label, key in told.items()
    )
)
assert (
    by_inception["psi = 0.5"]["value"]
    > by_inception["psi = 0.7"]["value"]
    > by_inception["samples"]["value"]
)

# %% [markdown]
# At ψ = 0 there is one image (its noise is held), so precision is 0 or 1: that image lies in some real ball or in none. From ½ on precision falls as ψ rises, recall rises: the trade that truncation is known for. The Fréchet
# distance takes recall's side in it and falls all the way to ψ = 1, by either pair of eyes. All of this belongs to this network and these features. Now by hand:

# %% id="psi-widget"
psi_slider = widgets.psi_slider(generator, recorded["psi"], recorded["real"]["attribute_entropy"])
psi_slider

# %% [markdown]
# ## What people get wrong
#
# ### "Noise gives the diversity"
#
# Hold $w$ and change the noise of all layers, or hold the noise and change $w$:

# %% id="noise-is-not-diversity"
kinds = {"other noise, same latent": by_noise[:, 0], "other latent, same noise": by_noise[0, :8]}
varied = {kind: images.std(0).mean().item() for kind, images in kinds.items()}
distinct = {
    kind: sum(len(column.unique()) for column in judging.attributes_of(images).T) / 9
    for kind, images in kinds.items()
}
for kind in kinds:
    print(
        f"{kind:26} deviation of a pixel {varied[kind]:.3f}; different values of an attribute among 8: {distinct[kind]:.1f}"
    )
assert varied["other latent, same noise"] > 2 * varied["other noise, same latent"]
assert distinct["other latent, same noise"] > distinct["other noise, same latent"]

# %% [markdown]
# ### "Another style, the same content"
#
# Keep the late layers and give only layers 0 to 3 to another latent. If styles left the content alone, the classifier would go on naming the same hair, eyes and clothes.

# %% id="content"
coarse_only = judging.attributes_of(draw(mix_styles(w_second, w_first, 4, depth)))
lost = (coarse_only != seen_first).double().mean(0)
for attribute, value in sorted(zip(ATTRIBUTES, lost.tolist()), key=lambda pair: -pair[1]):
    print(f"{attribute:14} changed in {value:.0%} of {count} images by the styles of layers 0 to 3")
assert lost.max() > 0.1

# %% [markdown]
# There is no content beside the styles. The synthesis starts from one constant.
#
# ### "Mixing is interpolation"
#
# A mix gives each layer one of two styles. Half-way *between* two styles, every layer sees a third one:

# %% id="not-interpolation"
mixed = mix_styles(w_first, w_second, depth // 2, depth)
between = latent.lerp(w_first, w_second, 0.5)[:, None].expand(-1, depth, -1)
own = {}
for kind, styles in (("mixed", mixed), ("half-way between", between)):
    is_a_parents = [(styles[:, n] == parent).all(1) for parent in (w_first, w_second) for n in range(depth)]
    own[kind] = (sum(each.double().mean() for each in is_a_parents) / depth).item()
to_mean = {
    kind: (styles - generator.w_mean).norm(dim=2).mean().item()
    for kind, styles in (("mixed", mixed), ("half-way between", between))
}
for kind in own:
    print(
        f"{kind:18} layers with exactly a parent's style: {own[kind]:.0%}; distance from the mean of w {to_mean[kind]:.2f} (parents {typical:.2f})"
    )
assert (
    own["mixed"] == 1
    and own["half-way between"] == 0
    and to_mean["half-way between"] < 0.9 * to_mean["mixed"]
)

# %% [markdown]
# Half-way is also nearer to the mean: interpolating truncates on the way. A mix does not.
#
# ### "The mean style is mapping(0)"
#
# The prediction above: it lies elsewhere, and truncating towards it leads elsewhere.

# %% id="towards-zero"
wrong_centre = generator.mapping(torch.zeros_like(many[:1]))[0]
towards = {
    centre: (
        draw(truncate(w_first[:40], point, 0.5, layers=depth))
        - draw(truncate(w_first[:40], w_mean, 0.5, layers=depth))
    )
    .abs()
    .mean()
    .item()
    for centre, point in (("the running mean", generator.w_mean), ("mapping(0)", wrong_centre))
}
print(
    "ψ = 0.5, mean change of a pixel against the mean of w: "
    + ", ".join(f"{centre} {value:.3f}" for centre, value in towards.items())
)
assert towards["mapping(0)"] > towards["the running mean"]

# %% [markdown]
# ## In your own words

# %%
explain("09b.words")

# %%
quiz("09b.check")

# %% [markdown]
# ## What to keep
#
# - Noise: one map a layer, added to every channel by a learned amount. It moves local detail; diversity at large comes from z.
# - Mixing is a crossover. Styles from the crossover on are the second latent's exactly, and which attribute follows which layers is a table, not a rule.
# - There is no content beside the styles.
# - The mean of w is a mean of mapped latents. mapping(0) is another point.
# - ψ times the distance to the mean: recall and attribute entropy fall as ψ falls. What precision does is measured, for this network, with these features.
#
# Further reading: Karras, Laine, Aila 2018 ([arXiv:1812.04948](https://arxiv.org/abs/1812.04948)): section 3.1 for mixing, 3.2 for noise (figures 4 and 5), appendix B for truncation; Kynkäänniemi et al. 2019
# ([arXiv:1904.06991](https://arxiv.org/abs/1904.06991)), section 4, for what truncation does to precision and recall of a large StyleGAN.

# %% id="running-on"
running_on("09b")

# %% id="report"
dcgan = zoo.load("dcgan-fashion")[0]
straight = zoo.sample(dcgan, 300, seed=9)
short = zoo.sample(dcgan, 300, seed=9, threshold=0.5)
add_to_report(
    "09b",
    f"The recorded DCGAN of chapter 02 has neither styles to mix nor noise: z is all that varies it. Truncated in z at 0.5, a pixel varies by {short.std(0).mean():.3f} between images instead of {straight.std(0).mean():.3f}; "
    f"the StyleGAN of this chapter ({name}) varies by {over_latents:.3f} with its latent and by {over_noise:.3f} with its noise.",
)

# %% id="progress"
progress("09b")
