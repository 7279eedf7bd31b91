"""Every network by name, with its layers, its recipe and its removable parts.

``NETWORKS["songnet-plus"]`` is a `NetworkKind`. In a name, ``~`` removes a part and ``+`` adds an
idea that we tried: ``songnet~batch-norm`` is SongNet without batch norm, and ``songnet-plus+mixup``
is trained on mixed clips. So an experiment is just a name, and an ablation is a comparison like any
other.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from songnet_utils._utils.errors import SongNetError, did_you_mean
from songnet_utils.audio.sound import Sound
from songnet_utils.models.baselines import BASELINES
from songnet_utils.models.building import keras
from songnet_utils.models.paper import songnet, songnet_lstm
from songnet_utils.models.plus import songnet_plus
from songnet_utils.models.related import cnn_2d, cnn_mfcc, crnn_2d
from songnet_utils.models.transfer import SOUND, songnet_transfer
from songnet_utils.models.with_metadata import songnet_meta


@dataclass(frozen=True, kw_only=True)
class NetworkKind:
    """One of the networks.

    Parameters
    ----------
    title : str
        Its name for people.
    build : callable
        ``build(sound, genres, seed=…, **options)`` returns it with fresh weights. A layer that is
        random in training draws from a ``keras.random.SeedGenerator``, like Keras's own layers,
        because each epoch resets its state.
    options : mapping
        Further arguments of `build`.
    recipe : mapping
        Its own values of fields of `songnet_utils.training.recipe.Recipe`.
    parts : mapping of str to mapping
        Its removable parts, by name: the options or fields of the recipe that change without it.
    extras : mapping of str to mapping
        Ideas that are not part of it, by name: the options or fields that change with each.
    sound : Sound
        The description of sound that it needs.
    metadata : bool
        Whether it also takes a song's metadata (`songnet_utils.features.metadata`).
    on_musicnn : bool
        Whether its input is musicnn's embedding of a song, not the song's frames.
    """

    title: str
    build: Callable[..., keras.Model] = field(repr=False)
    options: Mapping[str, Any] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)
    parts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    extras: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    sound: Sound = field(default_factory=Sound)
    metadata: bool = False
    on_musicnn: bool = False

    def changed(self, sign: str, name: str) -> NetworkKind:
        """Return the same network without one of its parts (``~``), or with an extra (``+``)."""
        changes = (self.parts if sign == "~" else self.extras)[name]
        changes_of_recipe = {
            field: value for field, value in changes.items() if field not in self.options
        }
        return dataclasses.replace(
            self,
            title=f"{self.title} {'without' if sign == '~' else 'with'} {name}",
            options={name: changes.get(name, value) for name, value in self.options.items()},
            # A name that is not an option of the network is a field of its recipe.
            recipe={**self.recipe, **changes_of_recipe},
        )

    def description(self) -> dict[str, Any]:
        """Return everything that its layers depend on, for JSON."""
        return {"network": self.build.__name__, **self.options}


_AS_SONGNET = {"dropout": 0.3, "batch_norm": True}

#: The networks by name.
NETWORKS: dict[str, NetworkKind] = {
    "songnet": NetworkKind(
        title="SongNet",
        build=songnet,
        options=_AS_SONGNET,
        parts={
            "batch-norm": {"batch_norm": False},
            "dropout": {"dropout": 0.0},
            "schedule": {"schedule": "constant"},
        },
    ),
    "songnet-bn": NetworkKind(
        title="SongNet's ancestor (2018)",
        build=songnet,
        options={"dropout": 0.5, "batch_norm": True},
        recipe={"batch": 32},
    ),
    "songnet-lstm": NetworkKind(
        title="SongNet with an LSTM",
        build=songnet_lstm,
        options={"gru": 0, "filters": 256, **_AS_SONGNET},
        # crnn-2d differs by more than the second dimension: it has memory and few weights. And a
        # network whose channels are bands may need music in every key.
        extras={"gru": {"gru": 2}, "small": {"filters": 64}, "keys": {"semitones": 7.0}},
    ),
    "crnn-2d": NetworkKind(
        title="C-RNN in two dimensions",
        build=crnn_2d,
        options={"recurrent": 2},
        parts={"gru": {"recurrent": 0}},
    ),
    "cnn-2d": NetworkKind(title="CNN in two dimensions", build=cnn_2d, options=_AS_SONGNET),
    "cnn-mfcc": NetworkKind(title="CNN on MFCCs", build=cnn_mfcc),
    "songnet-meta": NetworkKind(
        title="SongNet with metadata",
        build=songnet_meta,
        options={"dropout": 0.3, "metadata_dropout": 0.5},
        metadata=True,
    ),
    "songnet-plus": NetworkKind(
        title="SongNet plus",
        build=songnet_plus,
        options={"pictures": True, "summary": 24, "dropout": 0.5},
        recipe={
            "epochs": 40,
            "crop_seconds": 10.0,
            "schedule": "cosine",
            "weight_decay": 0.02,
            "averaging": 0.98,
            "semitones": 7.0,
        },
        parts={
            "pictures": {"pictures": False},
            "summary": {"summary": 0},
            "keys": {"semitones": 0.0},
            "weight-decay": {"weight_decay": 0.0},
            "averaging": {"averaging": 0.0},
        },
        extras={
            "mixup": {"mixup": 0.2},
            "masks": {"masked_bands": 16, "masked_seconds": 0.7},
        },
    ),
    "songnet-transfer": NetworkKind(
        title="SongNet on musicnn",
        build=songnet_transfer,
        options={"dropout": 0.5},
        recipe={"epochs": 60, "learning_rate": 3e-3},
        sound=SOUND,
        on_musicnn=True,
    ),
}


def network_kind(name: str) -> NetworkKind:
    """Return a network by its name, without the removed parts and with the extras in the name.

    Raises
    ------
    SongNetError
        When there is no such network, or it has no such part.
    """
    first, *changes = re.split(r"(?=[~+])", name)
    if first not in NETWORKS:
        models = (*NETWORKS, *BASELINES)
        raise SongNetError(
            f"A model is one of {', '.join(models)}. Got {name!r}.{did_you_mean(first, models)}"
        )
    kind = NETWORKS[first]
    for change in changes:
        sign, part = change[0], change[1:]
        known = kind.parts if sign == "~" else kind.extras
        if part not in known:
            what = "can be removed" if sign == "~" else "can be added"
            raise SongNetError(
                f"{name}: {first} has no part {part!r} that {what}. "
                f"It has: {', '.join(known) or 'none'}.{did_you_mean(part, known)}"
            )
        kind = kind.changed(sign, part)
    return kind


def ablation(name: str) -> Sequence[str]:
    """Return a network's name, and the names without each part and with each extra."""
    kind, named = network_kind(name), re.split(r"[~+]", name)[1:]
    less = [f"{name}~{part}" for part in kind.parts if part not in named]
    return [name, *less, *(f"{name}+{part}" for part in kind.extras if part not in named)]
