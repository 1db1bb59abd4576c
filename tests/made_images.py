"""Small folders of made-up images, laid out as the large sets are."""

import json

import numpy as np
from PIL import Image

CLASSES = ("n01", "n02", "n03")
COLOURS = ((200, 40, 40), (40, 200, 40), (40, 40, 200))


def write_image(path, colour, *, seed=0, size=(40, 40)):
    """A noisy image of one colour: classes can be told apart, images too."""
    noise = np.random.default_rng(seed).integers(-30, 31, (*size, 3))
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(path, quality=95)


def write_imagenet(root, *, train=12, held_out=4, size=(40, 40)):
    """``imagenet/{train,val}/CLASS/*.JPEG``: three classes; the folder that holds ``imagenet``."""
    for label, (name, colour) in enumerate(zip(CLASSES, COLOURS, strict=True)):
        for part, count in (("train", train), ("val", held_out)):
            for number in range(count):
                path = root / "imagenet" / part / name / f"{name}_{part}_{number}.JPEG"
                write_image(path, colour, seed=1000 * label + number, size=size)
    return root


def lt_lines(counts=(12, 6, 3)):
    return [
        f"train/{name}/{name}_train_{number}.JPEG {label}"
        for label, (name, count) in enumerate(zip(CLASSES, counts, strict=True))
        for number in range(count)
    ]


def write_imagenet_lt(root, lines=None):
    """The images of ``write_imagenet`` and a list that keeps 12, 6 and 3 of them."""
    write_imagenet(root)
    (root / "imagenet_lt").mkdir(exist_ok=True)
    text = "\n".join(lt_lines() if lines is None else lines) + "\n"
    (root / "imagenet_lt" / "ImageNet_LT_train.txt").write_text(text)
    return root


def inaturalist_annotations(part, counts):
    """What iNaturalist's JSON holds, reduced to what is read; category ids are 3, 5 and 9."""
    images, annotations = [], []
    for category, count in zip((3, 5, 9), counts, strict=True):
        for number in range(count):
            identity = len(images) + 100
            name = f"train_val2018/Aves/{category}/{part}{number}.jpg"
            images.append({"id": identity, "file_name": name, "width": 40})
            annotations.append({"id": identity, "image_id": identity, "category_id": category})
    categories = [{"id": c, "name": f"species {c}", "supercategory": "Aves"} for c in (9, 3, 5)]
    return {"images": images, "annotations": annotations, "categories": categories}


def write_inaturalist(root, *, as_lists=False):
    """Three species with 8, 4 and 2 training images and 3 held-out ones each."""
    folder = root / "inaturalist2018"
    for part, counts in (("train", (8, 4, 2)), ("val", (3, 3, 3))):
        found = inaturalist_annotations(part, counts)
        for image in found["images"]:
            write_image(folder / image["file_name"], COLOURS[0], seed=image["id"])
        if as_lists:
            labels = {3: 0, 5: 1, 9: 2}
            pairs = zip(found["images"], found["annotations"], strict=True)
            lines = [f"{i['file_name']} {labels[a['category_id']]}\n" for i, a in pairs]
            (folder / f"iNaturalist18_{part}.txt").write_text("".join(lines))
        else:
            (folder / f"{part}2018.json").write_text(json.dumps(found))
    return root


def write_flat_imagenet(root):
    """The images of ``write_imagenet``, those of ``val`` in one folder with Caffe's list."""
    write_imagenet(root)
    lines = []
    for label, name in enumerate(CLASSES):
        for path in sorted((root / "imagenet" / "val" / name).iterdir()):
            path.rename(root / "imagenet" / "val" / path.name)
            lines.append(f"{path.name} {label}\n")
        (root / "imagenet" / "val" / name).rmdir()
    (root / "imagenet" / "val.txt").write_text("".join(lines))
    return root


def write_tinyimagenet(root):
    """Three classes of 12 training images with boxes, and 4 held-out ones each, in one folder."""
    folder, lines = root / "tiny-imagenet-200", []
    for label, (name, colour) in enumerate(zip(CLASSES, COLOURS, strict=True)):
        for number in range(12):
            path = folder / "train" / name / "images" / f"{name}_{number}.JPEG"
            write_image(path, colour, seed=1000 * label + number, size=(64, 64))
        (folder / "train" / name / f"{name}_boxes.txt").write_text(
            f"{name}_0.JPEG\t0\t10\t63\t58\n"
        )
        for number in range(4):
            path = folder / "val" / "images" / f"val_{4 * label + number}.JPEG"
            write_image(path, colour, seed=1000 * label + 500 + number, size=(64, 64))
            lines.append(f"{path.name}\t{name}\t0\t32\t44\t62\n")
    (folder / "val" / "val_annotations.txt").write_text("".join(lines))
    (folder / "wnids.txt").write_text("\n".join(reversed(CLASSES)))
    (folder / "words.txt").write_text("n01\ta fish\n")
    return root
