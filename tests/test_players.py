"""Players: what is heard is what was given, and it has a name."""

from __future__ import annotations

import base64
import re

import numpy as np
import pytest

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio import read_audio
from songnet_utils.plots.players import Player, SlidingWindow, excerpt
from songnet_utils.plots.style import describe, panels


def tone(seconds: float, rate: int) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * 440 * np.arange(seconds * rate) / rate)).astype(np.float32)


@pytest.mark.parametrize("rate", [16_000, 22_050, 44_100])
def test_the_player_holds_the_sound(rate):
    page = Player(tone(2, rate), rate, "A hum")._repr_html_()
    content = base64.b64decode(re.search(r'base64,([^"]+)"', page)[1])
    samples, found = read_audio(content)
    assert found == rate
    middle = samples[rate : rate + rate // 2, 0]
    frequencies = np.fft.rfftfreq(len(middle), 1 / rate)
    assert frequencies[np.abs(np.fft.rfft(middle)).argmax()] == 440
    assert np.abs(middle).max() == pytest.approx(0.5, abs=0.05)


def test_one_can_seek_in_it():
    # LAME writes "Info" into the first frame of a file of constant bit rate, "Xing" otherwise.
    assert b"Info" in Player(tone(5, 22_050), 22_050, "A hum").mp3[:200]


def test_thirty_seconds_fit_in_a_page():
    assert len(Player(tone(30, 22_050), 22_050, "A hum")._repr_html_()) < 1_000_000


def test_the_label_is_shown_and_read_out():
    page = Player(tone(1, 22_050), 22_050, 'Rock & "Roll"')._repr_html_()
    assert 'aria-label="Rock &amp; &quot;Roll&quot;"' in page
    assert "<figcaption>Rock &amp; &quot;Roll&quot;</figcaption>" in page


def test_a_window_ends_where_the_sound_is_and_nothing_is_hidden_before_it_plays():
    axes = panels(2, 1, 8, 4, sharex=True)[:, 0]
    axes[0].set_xlim(0, 10)
    describe(axes[0], "Two empty pictures over ten seconds.")
    page = SlidingWindow(tone(10, 22_050), 22_050, "A hum", axes[0], seconds=1.0)._repr_html_()
    left, width = 100 * axes[0].get_position().x0, 100 * axes[0].get_position().width
    place = rf"calc\({left:.2f}% \+ {width:.2f}% \* var\(--at, "
    # At rest the curtain is at the right edge, and the window in the middle.
    assert re.search(rf"{place}1\)\)", page)
    assert re.search(rf"{place}0\.5\)\); [^>]*width: {width / 10:.2f}%", page)
    assert "this.currentTime / 10.0000" in page
    assert 'alt="Two empty pictures over ten seconds."' in page


def test_a_rate_that_mp3_does_not_have_is_named():
    with pytest.raises(SongNetError, match=r"Odd.*12345.*Resample"):
        Player(tone(1, 12_345), 12_345, "Odd")


def test_an_excerpt_is_the_piece_asked_for_with_soft_edges():
    audio = np.ones(1000, np.float32)
    piece = excerpt(audio, 100, start=2.0, seconds=3.0)
    assert len(piece) == 300
    assert piece[0] == piece[-1] == 0
    assert (piece[2:-2] == 1).all()
    assert (audio == 1).all()
    assert len(excerpt(audio, 100, start=9.0, seconds=3.0)) == 100


def test_an_excerpt_after_the_end_is_refused():
    with pytest.raises(SongNetError, match=r"start must be in the 10\.00 s"):
        excerpt(np.ones(1000, np.float32), 100, start=10.0, seconds=1.0)
