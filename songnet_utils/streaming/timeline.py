"""Conversions of time: seconds ↔ samples ↔ frames ↔ steps.

Conventions
-----------
*Samples* are counted at the network's rate, from the first sample of the song. *Frame* ``i`` of
the log-mel covers samples ``[hop·i − n_fft/2, hop·i + n_fft/2)``; outside the song, samples are
zero (never a reflection, because nobody played it). A *step* is one output of the network: step
``k`` sees the frames ``[stride·k, stride·k + size)`` of its receptive field. It also sees earlier
frames if the network remembers them (`ReceptiveField.past`), at most from the start of the song.
Intervals are half-open, ``[start, stop)``, and may start before 0.

Every number comes from one `Sound` and one stack of layers; nothing else in the package repeats
them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio.sound import Sound


@dataclass(frozen=True)
class Layer:
    """A convolution or a pooling along time without padding ("valid").

    Parameters
    ----------
    kernel : int > 0
        The inputs that one output sees.
    stride : int > 0
        Inputs between neighbouring outputs.
    dilation : int > 0
        Inputs between neighbouring taps of the kernel.
    """

    kernel: int
    stride: int = 1
    dilation: int = 1

    def __post_init__(self) -> None:
        if min(self.kernel, self.stride, self.dilation) < 1:
            raise SongNetError(
                f"A layer's kernel, stride and dilation must be at least 1. Got {self}"
            )


@dataclass(frozen=True)
class ReceptiveField:
    """The inputs that one output of a network sees, and those that complete it.

    The inputs ``[0, stride·k + size)`` complete output ``k``, which sees those from
    ``stride·k − past`` on.

    Parameters
    ----------
    size : int
        Inputs before the first output.
    stride : int
        Inputs between neighbouring outputs.
    past : int or math.inf
        Inputs before ``stride·k`` that also matter: 0 for layers without padding, some for
        causal padding (zeros before the song), ``math.inf`` for a layer that remembers the song
        from its beginning. It is negative if an output does not see all of the last `size` inputs.
    """

    size: int
    stride: int
    past: float = 0

    def windowed(self, kernel: int, stride: int = 1, dilation: int = 1) -> ReceptiveField:
        """Return the field of windows of `kernel` outputs, `dilation` apart, every `stride`."""
        size = self.size + (kernel - 1) * dilation * self.stride
        return replace(self, size=size, stride=self.stride * stride)

    def shifted(self, outputs: int) -> ReceptiveField:
        """Return the field for which output ``k`` is the present output ``k + outputs``."""
        inputs = outputs * self.stride
        return replace(self, size=self.size + inputs, past=self.past - inputs)

    def outputs_of_inputs(self, inputs: int) -> int:
        """Return the number of outputs of `inputs` inputs; 0 if they are too few for one."""
        return max(0, (inputs - self.size) // self.stride + 1)

    def inputs_of_output(self, output: int) -> tuple[int, int]:
        """Return the inputs ``[start, stop)`` that output `output` sees."""
        start = self.stride * output
        first = 0 if math.isinf(self.past) else max(0, start - int(self.past))
        return first, start + self.size


def receptive_field(layers: Iterable[Layer]) -> ReceptiveField:
    """Return the receptive field of a stack of unpadded layers.

    Each layer widens the field by ``(kernel − 1)·dilation`` of its own inputs, which lie
    ``stride`` (the product of the strides below it) inputs of the stack apart.

    Parameters
    ----------
    layers : iterable of Layer
        From the input upwards. Without layers, each output sees one input.

    Examples
    --------
    The paper's network up to its third convolution, and with its last pooling:

    >>> block = [Layer(5), Layer(2, 2)]
    >>> receptive_field(block * 3)
    ReceptiveField(size=36, stride=8, past=0)
    >>> receptive_field((block * 3)[:-1])
    ReceptiveField(size=32, stride=4, past=0)
    """
    field = ReceptiveField(1, 1)
    for layer in layers:
        field = field.windowed(layer.kernel, layer.stride, layer.dilation)
    return field


@dataclass(frozen=True)
class Timeline:
    """The steps of one network on one description of sound.

    Parameters
    ----------
    sound : Sound
        How samples become frames.
    field : ReceptiveField
        The frames that a step sees.
    """

    sound: Sound
    field: ReceptiveField

    @property
    def samples_needed(self) -> int:
        """The fewest samples of a song with one step."""
        return max(1, (self.field.size - 1) * self.sound.hop)

    @property
    def seconds_needed(self) -> float:
        """The fewest seconds of a song with one step."""
        return self.sound.seconds_of_samples(self.samples_needed)

    @property
    def step_seconds(self) -> float:
        """Seconds from one step to the next."""
        return self.sound.seconds_of_samples(self.field.stride * self.sound.hop)

    def steps_of_frames(self, frames: int) -> int:
        """Return the number of steps of `frames` frames."""
        return self.field.outputs_of_inputs(frames)

    def steps_of_samples(self, samples: int) -> int:
        """Return the number of steps of a whole song of `samples` samples."""
        return self.steps_of_frames(self.sound.frames_of_samples(samples))

    def step_frames(self, step: int) -> tuple[int, int]:
        """Return the frames ``[start, stop)`` that a step sees."""
        return self.field.inputs_of_output(step)

    def step_samples(self, step: int) -> tuple[int, int]:
        """Return the samples ``[start, stop)`` that a step sees; `start` may be negative."""
        first, stop = self.step_frames(step)
        return self.sound.frame_samples(first)[0], self.sound.frame_samples(stop - 1)[1]

    def step_span(self, step: int) -> tuple[float, float]:
        """Return `step_samples` in seconds."""
        start, stop = self.step_samples(step)
        return self.sound.seconds_of_samples(start), self.sound.seconds_of_samples(stop)

    def step_of_seconds(self, seconds: float) -> int:
        """Return the latest step that is complete after `seconds` of the song; −1 if none is.

        This is the step to show at a playhead, because it ends at or before that time.
        """
        played = math.floor(seconds * self.sound.sample_rate + 1e-6)
        _, first_stop = self.step_samples(0)
        return max(-1, (played - first_stop) // (self.field.stride * self.sound.hop))
