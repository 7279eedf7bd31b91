"""A piece of music whose genre changes every few seconds, for trying a network.

It is composed and played like the clips of mini, by eight artists from another seed, so no network
that was trained on mini knows them.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.files import atomic_write, data_folder

#: The genres of mini in the order of the medley, the seconds of each, and the seconds for which
#: neighbours overlap.
GENRES = (
    *("Rock", "Folk", "Electronic", "International"),
    *("Hip-Hop", "Instrumental", "Pop", "Experimental"),
)
SECONDS = 4.8
OVERLAP = 0.3

# The artists.
_SEED = 1
_ARTIST = 3

#: The second at which each genre starts.
STARTS = [(place * (SECONDS - OVERLAP), genre) for place, genre in enumerate(GENRES)]


def mp3() -> bytes:
    """Return the medley as an mp3; compose it first if it is not in the data folder."""
    # The medley's version.
    file = data_folder() / "page" / "medley-1.mp3"
    with contextlib.suppress(FileNotFoundError):
        return file.read_bytes()
    # A program of its own takes the synthesizer's memory along when it ends, and ends when this one
    # is killed.
    command = [sys.executable, "-m", __name__]
    content = subprocess.run(command, capture_output=True, check=True).stdout
    with contextlib.suppress(SongNetError), atomic_write(file) as temporary:
        temporary.write_bytes(content)
    return content


def compose_mp3() -> bytes:
    """Compose the medley, which takes some seconds."""
    # Import these only here, because they load the synthesizer.
    import numpy as np

    from songnet_utils.corpora.mini.catalogue import plan
    from songnet_utils.corpora.mini.compose import compose, midi
    from songnet_utils.corpora.mini.render import RATE, SPEED, play, produce
    from songnet_utils.plots.players import Player

    chosen = {clip.genre: clip for clip in plan(_SEED) if clip.artist == _ARTIST}
    length, fade = round(SECONDS * RATE), round(OVERLAP * RATE)
    whole = np.zeros(round(STARTS[-1][0] * RATE) + length, np.float32)
    ramp = np.sin(np.linspace(0, np.pi / 2, fade, dtype=np.float32))
    for start, genre in STARTS:
        clip = chosen[genre]
        piece = compose(clip.make_artist(), clip.dice(), SECONDS)
        tape = clip.dice().of("tape")
        audio = produce(play(midi(piece, SPEED)), piece.artist.mix, tape, length)
        # Make all parts equally loud.
        audio *= 0.12 / max(float(np.sqrt(np.mean(audio**2))), 1e-6)
        audio[:fade] *= ramp
        audio[-fade:] *= ramp[::-1]
        place = round(start * RATE)
        whole[place : place + length] += audio
    return Player(np.clip(whole, -1, 1), RATE, "Medley").mp3


if __name__ == "__main__":
    sys.stdout.buffer.write(compose_mp3())
