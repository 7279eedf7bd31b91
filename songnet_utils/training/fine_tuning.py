"""Fine-tuning: a run that starts from the weights of another run, and its test set."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.files import read_csv
from songnet_utils.audio.sound import Sound
from songnet_utils.corpora.splits import UNKNOWN_ARTIST, UntestedError, split_unseen
from songnet_utils.models.registry import network_kind
from songnet_utils.models.trained import SongNet
from songnet_utils.training.recipe import Recipe, recipe_of
from songnet_utils.training.runs import network_of, read_answers, read_record

#: The file that lists the training clips of the runs before this one.
TRAINED_ON_BEFORE = "trained-on-before.csv"

#: The factor of the learning rate in fine-tuning.
SLOWER = 0.2


@dataclass(frozen=True, kw_only=True)
class Parent:
    """A finished run whose weights another run starts from.

    Parameters
    ----------
    folder : pathlib.Path
        The run's folder.
    model : str
        The name of its network.
    net : SongNet
        The trained network.
    trained_on : pandas.DataFrame
        ``content`` (SHA-256) and ``artist`` (missing if unknown) of the training and validation
        clips of this run and of the runs from which it started.
    """

    folder: Path
    model: str
    net: SongNet
    trained_on: pd.DataFrame

    @classmethod
    def of(cls, folder: Path, model: str | None = None) -> Parent:
        """Return a run as a parent; raise SongNetError if `model` cannot start from it."""
        record = read_record(folder)
        if model is not None and model != record["model"]:
            raise SongNetError(
                f"{folder}: is a run of {record['model']}, so {model} cannot start from its "
                f"weights. Leave --model out, or choose a run of {model}."
            )
        net, answers = network_of(folder), read_answers(folder)
        mine = answers.loc[answers.set != "test", ["content", "artist"]]
        mine = mine.assign(artist=mine.artist.mask(mine.artist.str.startswith(UNKNOWN_ARTIST)))
        before = folder / TRAINED_ON_BEFORE
        earlier = [read_csv(before)] if before.is_file() else []
        trained_on = pd.concat([*earlier, mine], ignore_index=True).drop_duplicates()
        return cls(folder=folder.absolute(), model=record["model"], net=net, trained_on=trained_on)

    @property
    def sound(self) -> Sound:
        """The description of sound of its training frames."""
        return Sound() if network_kind(self.model).on_musicnn else self.net.sound

    @functools.cached_property
    def fingerprint(self) -> str:
        """The SHA-256 of its network's file."""
        return hashlib.sha256((self.folder / "model.keras").read_bytes()).hexdigest()

    def as_dict(self) -> dict[str, str]:
        """Return its entry in a record."""
        return {"run": str(self.folder), "network": self.fingerprint[:16]}

    def recipe(self) -> Recipe:
        """Return the recipe for fine-tuning: the network's own, with a lower learning rate."""
        usual = recipe_of(self.model)
        # An average of the weights would still be close to the old weights.
        rate = SLOWER * usual.learning_rate
        return dataclasses.replace(usual, learning_rate=rate, averaging=0.0)

    def split(self, clips: pd.DataFrame, kind: str, seed: int) -> pd.Series:
        """Split clips so that the test set has none of its training clips; see `split_unseen`."""
        try:
            return split_unseen(clips, kind, seed, self.trained_on)
        except UntestedError as error:
            raise SongNetError(
                f"{self.folder}: {error} Add songs by other artists, leave such genres out "
                "(--genres), or train from scratch (without --from)."
            ) from error
