"""musicnn as its authors published it, and its conversion to an ONNX file.

Its authors trained musicnn on about 200,000 songs [1]_ to predict 50 tags of listeners. Seven
of fma_small's eight genres are among those tags under the same name; International is not. The
weights are inside the wheel of the ``musicnn`` package (0.1.0, 29 MB, ISC licence). You cannot
install the package with a current Python, because it requires NumPy below 1.17. So this script only
downloads the wheel with pip, and takes four files out of it.

The script writes the network from its paper [2]_ with ONNX's own operators; the tests compare it
with the graph in the checkpoint. It sees 3 s at a time: 187 frames of 96 mel bands, each
``log10(1 + 10000 · mel power)``. Our frames are ``ln(mel power)``, so this is exactly
``softplus(frame + ln 10000) / ln 10``. (The published program first rounds mel power to half
precision; this conversion does not.)

From tags to genres: subtract each tag's *centre*, the logit of an average clip, from its logit, and
take the softmax. Without the centres, tags that are rare in the training songs would hardly ever
win: nearly everything is more "rock" than "experimental".

References
----------
.. [1] J. Pons and X. Serra, "musicnn: pre-trained convolutional neural networks for music audio
   tagging", Late-breaking/demo session of ISMIR, 2019. https://arxiv.org/abs/1909.06654
.. [2] J. Pons et al., "End-to-end learning for music audio tagging at scale", ISMIR, 2018.
"""

from __future__ import annotations

import hashlib
import math
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio.sound import Sound
from songnet_utils.models.onnx_export import OPSET
from songnet_utils.models.onnx_network import describe
from songnet_utils.streaming.timeline import ReceptiveField

#: The package for pip.
MUSICNN = "musicnn==0.1.0"

# The SHA-256 of each file in the wheel. The checkpoint's files have no stem.
_FILES = {
    "musicnn/MSD_musicnn/.data-00000-of-00001": (
        "8579734ee6388f799ed0def4bbd0d1fdcbeaf213ef2a9dc860917bd76a303de6"
    ),
    "musicnn/MSD_musicnn/.index": (
        "87f3e0f3550c8d3bafc840374003e5c8af5eeb5ecf6add61af09a7822d3282c8"
    ),
    "musicnn/MSD_musicnn/.meta": "046dc0f4f95374c3fc435a1c6619f6d1b9c82794ea2d2ef0a362a59630b5b1ec",
    "musicnn-0.1.0.dist-info/LICENSE.md": (
        "60c4194f702ddd969f969577743546327b4e9db560c07ec286be5cec27f55fcd"
    ),
}

#: The 50 tags, in the order of the network's outputs and in the listeners' spelling.
TAGS = (
    *("rock", "pop", "alternative", "indie", "electronic", "female vocalists", "dance", "00s"),
    *("alternative rock", "jazz", "beautiful", "metal", "chillout", "male vocalists"),
    *("classic rock", "soul", "indie rock", "Mellow", "electronica", "80s", "folk", "90s"),
    *("chill", "instrumental", "punk", "oldies", "blues", "hard rock", "ambient", "acoustic"),
    *("experimental", "female vocalist", "guitar", "Hip-Hop", "70s", "party", "country"),
    *("easy listening", "sexy", "catchy", "funk", "electro", "heavy metal", "Progressive rock"),
    *("60s", "rnb", "indie pop", "sad", "House", "happy"),
)

#: For each genre, the tag of the same name. International has none.
TAG_OF_GENRE = {
    "Electronic": "electronic",
    "Experimental": "experimental",
    "Folk": "folk",
    "Hip-Hop": "Hip-Hop",
    "Instrumental": "instrumental",
    "Pop": "pop",
    "Rock": "rock",
}

#: For each genre, the centre of its tag's logit: the mean over 122 clips of fma_small (000 and
#: 001; 61 artists; 39 Folk, 25 Experimental, 22 Rock, 20 International, 10 Pop, 5 Hip-Hop,
#: 1 Electronic), each genre with the same weight. The tests measure musicnn on these clips with
#: centres of the other artists' clips.
CENTRES = {
    "Electronic": -2.351,
    "Experimental": -2.943,
    "Folk": -3.825,
    "Hip-Hop": -4.065,
    "Instrumental": -3.654,
    "Pop": -3.456,
    "Rock": -2.299,
}

#: Frames in a patch (3 s), and from one patch to the next (0.5 s).
PATCH, STRIDE = 187, 31

SOUND = Sound(sample_rate=16_000, n_fft=512, hop=256, n_mels=96, floor=1e-10)

DESCRIPTION = {
    "sound": SOUND.to_dict(),
    "genres": list(TAG_OF_GENRE),
    "name": "musicnn (Pons & Serra, 2019)",
    "training_music": "about 200,000 songs of the Million Song Dataset, with listeners' tags",
    "caution": "It has no tag for International, so it never answers that.",
}

# The musical front-end: filters, frames and bands of each kind of kernel. Timbre: 7 frames wide
# over 0.4 and 0.7 of the mel bands, slid along both; the loudest position over the bands makes
# them blind to pitch. Rhythm: one band high and 32 to 128 frames (0.5 to 2 s) wide.
_KERNELS = [(204, 7, 38), (204, 7, 67), (51, 128, 1), (51, 64, 1), (51, 32, 1)]

# The variables of a layer, or of the network, by the name in the checkpoint.
Variables = Callable[[str], np.ndarray]


def fetch(folder: Path) -> None:
    """Download the published files into a folder with pip, unless they are there already.

    Raises
    ------
    SongNetError
        When pip cannot download the files, or they are not the published ones.
    """
    if _is_whole(folder):
        return
    with tempfile.TemporaryDirectory() as temporary:
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
        command += ["download", "--no-deps", "--only-binary", ":all:", "--dest", temporary, MUSICNN]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SongNetError(f"{MUSICNN} could not be downloaded with pip: {done.stderr.strip()}")
        (wheel,) = Path(temporary).glob("musicnn-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder, _FILES)
    if not _is_whole(folder):
        raise SongNetError(f"{MUSICNN}: the files from pip are not the published ones.")


def _is_whole(folder: Path) -> bool:
    return all(
        (folder / name).is_file()
        and hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
        for name, digest in _FILES.items()
    )


def variables(folder: Path) -> Variables:
    """Return a function from names to variables of the published checkpoint."""
    import tensorflow as tf

    # It was saved under a prefix that ends in "/", which only this reader accepts.
    reader = tf.compat.v1.train.NewCheckpointReader(f"{folder / 'musicnn' / 'MSD_musicnn'}/")
    return reader.get_tensor


def licence(folder: Path) -> str:
    """Return the licence of the weights."""
    return (folder / "musicnn-0.1.0.dist-info" / "LICENSE.md").read_text("utf-8").strip()


def onnx_of_musicnn(of: Variables, centres: Mapping[str, float] = CENTRES) -> onnx.ModelProto:
    """Return musicnn as one ONNX network that describes itself.

    Input ``log_mel`` (clips, frames, 96); outputs ``genre_over_time`` (clips, steps, 7), ``genre``
    (clips, 7) and ``embedding`` (clips, steps, 200). The centres are in the last layer's bias.

    The published network pads each patch with zeros, so that the convolution over its frames gives
    187 rows again. Most of these rows see no zeros and are the same in all patches that contain
    them, so they are computed once for all frames. Only the rows at a patch's two ends are computed
    for each patch. The shared rows are the outputs ``rows_0_next`` to ``rows_4_next``,
    (clips, filters, frames), and may be the inputs ``rows_0`` to ``rows_4`` for the first frames of
    the next call; by default these are empty.

    Parameters
    ----------
    of : callable
        From `variables`.
    centres : mapping of genre to float
        The numbers to subtract from the logits of the genres' tags.
    """
    g = _Graph()
    clips = g.add("Shape", "log_mel", start=0, end=1)
    # ln(mel) → log10(1 + 10000·mel)
    x = g.add("Softplus", g.add("Add", "log_mel", g.floats(math.log(10_000))))
    x = g.add("Mul", x, g.floats(1 / math.log(10)))
    x = g.add("Unsqueeze", g.batch_norm(of, 0, x, 1), g.whole([1]))
    patches = g.add("Reshape", g.patches(x, 2, PATCH), g.whole([-1, 1, PATCH, SOUND.n_mels]))
    features = g.add(
        "Concat",
        *[_front_end(g, of, x, patches, clips, *kind) for kind in enumerate(_KERNELS)],
        axis=1,
    )
    # The mid-end: three convolutions over time, the second and third with a skip connection.
    levels = [features]
    for number in (5, 6, 7):
        kernel, bias = of(f"conv2d_{number}/kernel"), of(f"conv2d_{number}/bias")
        kernel = kernel.reshape(7, -1, 64).transpose(2, 1, 0)
        y = g.add("Conv", levels[-1], g.floats(kernel), g.floats(bias), pads=[3, 3])
        y = g.batch_norm(of, number + 1, g.add("Relu", y), 2)
        levels.append(y if number == 5 else g.add("Add", y, levels[-1]))
    x = g.add("Concat", *levels, axis=1)
    # The back-end: each feature's maximum and mean over the patch, concatenated.
    pooled = [g.add(kind, x, axes=[2], keepdims=1) for kind in ("ReduceMax", "ReduceMean")]
    x = g.batch_norm(of, 9, g.add("Flatten", g.add("Concat", *pooled, axis=2)), 1)
    x = g.add("Relu", g.dense(x, of("dense/kernel"), of("dense/bias")))
    x = g.batch_norm(of, 10, x, 1)
    shape = g.add("Concat", clips, g.whole([-1, 200]), axis=0)
    g.add("Reshape", x, shape, output="embedding")
    tags = [TAGS.index(tag) for tag in TAG_OF_GENRE.values()]
    bias = of("dense_1/bias")[tags] - np.array([centres[genre] for genre in TAG_OF_GENRE])
    x = g.dense("embedding", of("dense_1/kernel")[:, tags], bias)
    g.add("Softmax", x, axis=-1, output="genre_over_time")
    g.add("ReduceMean", "genre_over_time", axes=[1], keepdims=0, output="genre")
    proto = g.model()
    describe(proto, DESCRIPTION, ReceptiveField(PATCH, STRIDE))
    onnx.checker.check_model(proto)
    return proto


def _front_end(
    g: _Graph, of: Variables, x: str, patches: str, clips: str, number: int, kind: Sequence[int]
) -> str:
    """Write the output of one kind of kernel for each patch: (patches, filters, 187)."""
    filters, width, bands = kind
    name = f"conv2d_{number}" if number else "conv2d"
    kernel = of(f"{name}/kernel").transpose(3, 2, 0, 1)
    # A kernel that is long in one direction is several times as fast along the last axis.
    turned = bands == 1
    kernel = kernel.swapaxes(2, 3) if turned else kernel
    # The published network takes the maximum after batch norm. It is cheaper to apply batch norm to
    # the maximum, or to the minimum if the scale is negative, with the same result.
    sign = np.sign(_batch_norm(of, number + 1)[0])
    weights = g.floats(kernel * sign[:, None, None, None]), g.floats(of(f"{name}/bias") * sign)

    def work(rows: str, before: int = 0, after: int = 0) -> str:
        # (…, 1, rows, bands) → (…, filters, rows)
        pads = [0, before, 0, after] if turned else [before, 0, after, 0]
        rows = g.add("Transpose", rows, perm=[0, 1, 3, 2]) if turned else rows
        y, rest = g.add("Conv", rows, *weights, pads=pads), SOUND.n_mels - bands + 1
        y = g.add("MaxPool", y, kernel_shape=[rest, 1] if turned else [1, rest])
        y = g.add("Squeeze", y, g.whole([2 if turned else 3]))
        y = g.add("Relu", g.add("Mul", y, g.floats(sign[:, None])))
        return g.batch_norm(of, number + 1, y, 2)

    before, after = (width - 1) // 2, width // 2
    inside = PATCH - before - after
    first = work(g.add("Slice", patches, *map(g.whole, ([0], [PATCH - inside], [2]))), before)
    last = work(g.add("Slice", patches, *map(g.whole, ([inside], [PATCH], [2]))), after=after)
    # The input rows belong to the first frames of each clip.
    given, end = g.default(f"rows_{number}", [1, filters, 0]), g.whole([np.iinfo(np.int64).max])
    done = g.add("Shape", given, start=2, end=3)
    given = g.add("Expand", given, g.add("Concat", clips, g.whole([1, 1]), axis=0))
    fresh = work(g.add("Slice", x, done, end, g.whole([2])))
    shared = g.add("Concat", given, fresh, axis=2, output=f"rows_{number}_next")
    shared = g.add("Transpose", g.patches(shared, 2, inside), perm=[0, 2, 1, 3])
    shared = g.add("Reshape", shared, g.whole([-1, filters, inside]))
    return g.add("Concat", first, shared, last, axis=2)


def _batch_norm(of: Variables, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the scale and the offset of a trained batch normalisation."""
    name = f"batch_normalization_{number}" if number else "batch_normalization"
    parts = ("gamma", "beta", "moving_mean", "moving_variance")
    gamma, beta, mean, variance = (of(f"{name}/{part}") for part in parts)
    scale = gamma / np.sqrt(variance + np.float32(1e-3))
    return scale, beta - mean * scale


class _Graph:
    """Collects ONNX's nodes."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: dict[str, np.ndarray] = {}
        self.defaults: list[str] = []

    def add(self, kind: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        """Add a node, and return the name of its output."""
        output = output or f"musicnn_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], output, **attributes))
        return output

    def floats(self, values: Any) -> str:
        """Return the name of a constant."""
        return self._constant(np.array(values, np.float32, order="C"))

    def whole(self, values: Any) -> str:
        """Return the name of a constant of whole numbers."""
        return self._constant(np.array(values, np.int64))

    def _constant(self, values: np.ndarray) -> str:
        for name, known in self.constants.items():
            if known.dtype == values.dtype and np.array_equal(known, values):
                return name
        name = f"musicnn_constant_{len(self.constants)}"
        self.constants[name] = values
        return name

    def default(self, name: str, shape: Sequence[int]) -> str:
        """Return the name of an input that is empty by default."""
        self.constants[name] = np.zeros(shape, np.float32)
        self.defaults.append(name)
        return name

    def dense(self, x: str, kernel: np.ndarray, bias: np.ndarray) -> str:
        """Write a dense layer without its activation."""
        return self.add("Add", self.add("MatMul", x, self.floats(kernel)), self.floats(bias))

    def batch_norm(self, of: Variables, number: int, x: str, rank: int) -> str:
        """Write a trained batch normalisation whose channels are `rank` axes from the end."""
        shape = (-1, *[1] * (rank - 1))
        scale, offset = (self.floats(each.reshape(shape)) for each in _batch_norm(of, number))
        return self.add("Add", self.add("Mul", x, scale), offset)

    def patches(self, x: str, axis: int, size: int) -> str:
        """Cut patches of `size` along an axis; their contents are on the next axis."""
        count = self.add("Shape", x, start=axis, end=axis + 1)
        end = self.add("Squeeze", self.add("Add", count, self.whole([1 - size])))
        starts = self.add("Range", self.whole(0), end, self.whole(STRIDE))
        starts = self.add("Unsqueeze", starts, self.whole([1]))
        places = self.add("Add", starts, self.whole(range(size)))
        return self.add("Gather", x, places, axis=axis)

    def model(self) -> onnx.ModelProto:
        """Return the whole network."""

        def value(name: str, *shape: int | str) -> Any:
            return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

        rows = [(name, self.constants[name].shape[1]) for name in self.defaults]
        graph = helper.make_graph(
            self.nodes,
            "musicnn",
            [
                value("log_mel", "clips", "frames", SOUND.n_mels),
                *(value(name, 1, filters, f"{name}_given") for name, filters in rows),
            ],
            [
                value("genre_over_time", "clips", "steps", len(TAG_OF_GENRE)),
                value("genre", "clips", len(TAG_OF_GENRE)),
                value("embedding", "clips", "steps", 200),
                *(value(f"{name}_next", "clips", filters, f"{name}_all") for name, filters in rows),
            ],
            [numpy_helper.from_array(each, name) for name, each in self.constants.items()],
        )
        opset = helper.make_opsetid("", OPSET)
        proto = helper.make_model(graph, opset_imports=[opset], producer_name="songnet")
        proto.ir_version = 8
        return proto
