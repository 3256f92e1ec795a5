"""Folders of images as people have them: classes, phones, palettes, 16 bits, animations, and files that are broken."""

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.datasets import ImageFolder

from course_lib.data.folder import from_folder

GREY = np.linspace(0, 65535, 64).reshape(8, 8).astype(np.uint16)


def one(tmp_path, image, name="a.png", size=8, channels=3, **options):
    """The only image of a folder, read back."""
    image.save(tmp_path / name, **options)
    images, skipped = from_folder(tmp_path, size, channels)
    assert skipped == [] and images.pixels.shape == (1, channels, size, size)
    return images.pixels[0]


def plain(colour, size=(8, 8), mode="RGB"):
    return Image.new(mode, size, colour)


@pytest.fixture
def classes(tmp_path):
    """Two classes, one with a folder in it, names out of order."""
    for index, name in enumerate(["cat/2.png", "cat/10.png", "Bee/z.png", "Bee/deep/a.png", "Bee/a.png"]):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        plain((index, 0, 0)).save(tmp_path / name)
    return tmp_path


def test_order_and_labels_are_image_folders(classes):
    images, skipped = from_folder(classes, 8)
    reference = ImageFolder(classes)
    assert images.class_names == tuple(reference.classes) == ("Bee", "cat") and skipped == []
    assert images.labels.tolist() == reference.targets and images.labels.dtype == torch.int64
    assert images.pixels[:, 0, 0, 0].tolist() == [np.asarray(image)[0, 0, 0] for image, _ in reference]


def test_a_flat_folder_is_one_class(tmp_path):
    for index in range(3):
        plain((index, 0, 0)).save(tmp_path / f"{2 - index}.png")
    images, _ = from_folder(tmp_path, 4)
    assert images.pixels[:, 0, 0, 0].tolist() == [2, 1, 0]
    assert images.labels.tolist() == [0, 0, 0] and images.class_names == (tmp_path.name,)


def test_pixels_of_the_right_size_are_left_alone(tmp_path):
    values = np.random.default_rng(0).integers(256, size=(8, 8, 3), dtype=np.uint8)
    assert np.array_equal(one(tmp_path, Image.fromarray(values)).permute(1, 2, 0).numpy(), values)


@pytest.mark.parametrize("size", [(24, 8), (8, 24)])
def test_the_central_square_is_kept(tmp_path, size):
    image = plain("red", size)
    image.paste(plain("blue"), ((size[0] - 8) // 2, (size[1] - 8) // 2))
    assert one(tmp_path, image, size=4).flatten(1).unique(dim=1).flatten().tolist() == [0, 0, 255]


def test_scaling_is_antialiased_and_enlarges(tmp_path):
    stripes = np.zeros((64, 64), np.uint8)
    stripes[:, ::2] = 255
    small = one(tmp_path, Image.fromarray(stripes), size=16, channels=1)
    assert small.min() >= 115 and small.max() <= 140, "a mean of black and white, not one of them"
    assert one(tmp_path, plain("red", (2, 2)), size=16)[0].unique().tolist() == [255]


def test_grey_is_luma(tmp_path):
    assert one(tmp_path, plain((200, 100, 50)), channels=1).unique().tolist() == [round(59.8 + 58.7 + 5.7)]
    assert one(tmp_path, plain(7, mode="L")).unique().tolist() == [7]


def test_alpha_is_laid_over_white(tmp_path):
    assert one(tmp_path, plain((0, 0, 0, 0), mode="RGBA")).unique().tolist() == [255]
    assert one(tmp_path, plain((0, 0, 0, 51), mode="RGBA")).unique().tolist() == [204]
    assert one(tmp_path, plain((0, 51), mode="LA"), channels=1).unique().tolist() == [204]


def test_palettes_and_their_transparent_colour(tmp_path):
    image = plain((10, 20, 30)).quantize(4)
    assert one(tmp_path, image)[:, 0, 0].tolist() == [10, 20, 30]
    assert one(tmp_path, image, transparency=image.getpixel((0, 0))).unique().tolist() == [255]


def test_16_bits_keep_their_upper_8_instead_of_being_clipped(tmp_path):
    assert np.array_equal(one(tmp_path, Image.fromarray(GREY), channels=1)[0].numpy(), GREY >> 8)
    Image.fromarray(GREY).save(tmp_path / "a.tiff")
    (tmp_path / "a.png").unlink()
    assert np.array_equal(from_folder(tmp_path, 8, 1)[0].pixels[0, 0].numpy(), GREY >> 8)


def test_cmyk_one_bit_and_animations(tmp_path):
    assert one(tmp_path, plain((0, 255, 255, 0), mode="CMYK"), "a.tiff")[:, 0, 0].tolist() == [255, 0, 0]
    (tmp_path / "a.tiff").unlink()
    assert one(tmp_path, plain(1, mode="1")).unique().tolist() == [255]
    (tmp_path / "a.png").unlink()
    frames = [plain("red"), plain("blue")]
    assert one(tmp_path, frames[0], "a.gif", save_all=True, append_images=frames[1:])[:, 0, 0].tolist() == [255, 0, 0]


def test_a_phones_picture_is_turned_upright(tmp_path):
    image = plain("red", (8, 8))
    image.paste(plain("blue", (8, 4)), (0, 4))  # blue below
    exif = Image.Exif()
    exif[0x0112] = 3  # stored upside down
    upright = one(tmp_path, image, exif=exif)
    assert upright[:, 0, 0].tolist() == [0, 0, 255] and upright[:, 7, 0].tolist() == [255, 0, 0]


def test_what_cannot_be_read_is_skipped_with_its_reason_and_said(classes, capsys):
    whole = (classes / "cat" / "10.png").read_bytes()
    (classes / "cat" / "3.png").write_bytes(whole[: len(whole) // 2])
    (classes / "cat" / "labels.csv").write_text("a,b")
    (classes / "notes.txt").write_text("beside")
    (classes / "empty").mkdir()
    (classes / "empty" / "0.png").write_bytes(b"")
    Image.fromarray(np.zeros((4, 4), np.float32)).save(classes / "cat" / "float.tiff")
    Image.fromarray(np.full((4, 4), 70_000, np.int32)).save(classes / "cat" / "int.tiff")
    (classes / ".hidden").mkdir()
    (classes / "cat" / ".DS_Store").write_bytes(b"no image")
    (classes / "cat" / ".ipynb_checkpoints").mkdir()
    plain("red").save(classes / "cat" / ".ipynb_checkpoints" / "a.png")
    images, skipped = from_folder(classes, 8)
    assert len(images) == 5 and images.class_names == ("Bee", "cat") and images.labels.tolist() == [0, 0, 0, 1, 1]
    reasons = {path.relative_to(classes).as_posix(): reason for path, reason in skipped}
    assert len(reasons) == len(skipped) and reasons.pop("cat/3.png")
    assert reasons == {
        "notes.txt": "beside the class folders",
        "cat/float.tiff": "floating-point pixels have no agreed range",
        "cat/int.tiff": "32-bit pixels have no agreed range",
        "cat/labels.csv": "not an image that Pillow knows",
        "empty/0.png": "not an image that Pillow knows",
        "empty": "no readable image in it",
    }
    (said,) = capsys.readouterr().out.splitlines()
    assert said.startswith(f"5 images from {classes}; 7 skipped: notes.txt (beside the class folders); ")
    assert said.endswith("; and 4 more")


def test_a_truncated_photograph_is_skipped_not_half_grey(tmp_path):
    noise = Image.fromarray(np.random.default_rng(0).integers(256, size=(64, 64, 3), dtype=np.uint8))
    for name in ("a.jpg", "b.jpg"):
        noise.save(tmp_path / name)
    content = (tmp_path / "b.jpg").read_bytes()
    (tmp_path / "b.jpg").write_bytes(content[: len(content) // 2])
    images, ((path, reason),) = from_folder(tmp_path, 8)
    assert len(images) == 1 and path.name == "b.jpg" and "truncated" in reason


def test_a_folder_without_an_image_is_refused(tmp_path):
    with pytest.raises(
        ValueError, match=rf"path: expected at least one readable image in {tmp_path}, got an empty folder$"
    ):
        from_folder(tmp_path, 8)
    (tmp_path / "a.txt").write_text("no")
    with pytest.raises(ValueError, match=r"got a.txt \(not an image that Pillow knows\)$"):
        from_folder(tmp_path, 8)


def test_a_path_that_is_no_folder_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="path: expected a folder of images, found nothing at .*none$"):
        from_folder(tmp_path / "none", 8)
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match="path: expected a folder of images, got the file .*file$"):
        from_folder(tmp_path / "file", 8)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [((0,), "size: expected at least 1 pixel, got 0"), ((8, 4), r"channels: expected 3 \(RGB\) or 1 \(grey\), got 4")],
)
def test_bad_sizes_and_channels_are_named(classes, arguments, says):
    with pytest.raises(ValueError, match=says):
        from_folder(classes, *arguments)
